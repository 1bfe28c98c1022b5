//! What of a test is in the log of statements that sqlx writes.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use green_light_fixtures::{Backend, Engine, Schema};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::children::{part, playing, said};

/// The log of an application that looks at everything.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What begins a statement.
struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

async fn a_test(engine: &Engine) {
    let test = engine.transaction_for("logs").await.unwrap();
    let db = test.connection();
    db.execute_unprepared("INSERT INTO logged VALUES (1)")
        .await
        .unwrap();
    let transaction = db.begin().await.unwrap();
    transaction
        .execute_unprepared("DELETE FROM logged")
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    drop(db);
    test.finish().await.unwrap();
}

/// What sqlx logs while three tests run in a process whose one subscriber is that of the application.
fn logged(backend: Backend) -> Vec<String> {
    let log = Log::default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    runtime.block_on(async {
        let schema = Schema::sql("CREATE TABLE logged (id int)");
        let engine = Engine::builder().backend(backend).schema(schema);
        let engine = engine.build().await.unwrap();
        for _ in 0..3 {
            a_test(&engine).await;
        }
    });
    let lines = log.0.lock().unwrap();
    lines.clone()
}

/// Without what sqlx itself sends when it connects to MySQL and when an application begins and commits.
fn the_log_of_statements_has_those_of_the_application_alone(backend: Backend, test: &str) {
    if part().is_none() {
        said(playing(test, "log").spawn().unwrap());
        return;
    }
    let mut lines = logged(backend);
    lines.retain(|line| {
        let is_of_sqlx = line.starts_with("SET sql_mode=") || line.contains("_sqlx_savepoint_");
        let is_of_schema = line.starts_with("CREATE TABLE logged");
        !is_of_sqlx && !is_of_schema
    });
    let of_a_test = ["INSERT INTO logged VALUES …", "DELETE FROM logged"];
    assert_eq!(lines, of_a_test.repeat(3));
}

#[test]
fn on_postgres_the_log_of_statements_has_those_of_the_application_alone() {
    the_log_of_statements_has_those_of_the_application_alone(
        Backend::Postgres,
        "statement_log::on_postgres_the_log_of_statements_has_those_of_the_application_alone",
    );
}

#[test]
fn on_mysql_the_log_of_statements_has_those_of_the_application_alone() {
    the_log_of_statements_has_those_of_the_application_alone(
        Backend::MySql,
        "statement_log::on_mysql_the_log_of_statements_has_those_of_the_application_alone",
    );
}
