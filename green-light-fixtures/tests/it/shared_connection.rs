//! The connection by which a shared database is put back stays from one test to the next.

use std::time::Duration;

use green_light_fixtures::{Backend, Engine, Isolation, Session};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::support::{engine_on, insert, number, outside};

/// A test that writes to the shared database. Returns a connection of somebody else to it.
async fn a_test(engine: &Engine) -> DatabaseConnection {
    let session = engine.session(Isolation::Shared).await.unwrap();
    assert_eq!(number(&session, "SELECT count(*) FROM u").await, 1);
    insert(&session, "more").await.unwrap();
    let url = session.url().clone();
    session.finish().await.unwrap();
    outside(url.expose()).await
}

/// Who else is connected to the database of `db`, once it is as many as are `expected`.
async fn others(db: &DatabaseConnection, backend: Backend, expected: usize) -> Vec<i64> {
    let sql = match backend {
        Backend::Postgres => {
            "SELECT pid::bigint FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()"
        }
        _ => {
            "SELECT CAST(id AS SIGNED) FROM information_schema.processlist \
             WHERE db = database() AND id <> connection_id()"
        }
    };
    let statement = Statement::from_string(backend.dialect(), sql);
    let mut found = Vec::new();
    for _ in 0..100 {
        let rows = db.query_all_raw(statement.clone()).await.unwrap();
        found = rows
            .iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect();
        if found.len() == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(found.len(), expected);
    found
}

async fn the_connection_that_puts_back_is_kept_and_not_while_a_test_runs(backend: Backend) {
    let engine = engine_on(backend).await;
    let outside = a_test(&engine).await;
    let kept = others(&outside, backend, 1).await;
    let session: Session = engine.session(Isolation::Shared).await.unwrap();
    assert_eq!(number(&session, "SELECT count(*) FROM u").await, 1);
    let of_the_test = others(&outside, backend, 1).await;
    assert_ne!(of_the_test, kept, "the test has one of its own");
    outside.close().await.unwrap();
    session.finish().await.unwrap();
    assert_eq!(engine.stats().databases_made, 1);
}

async fn one_that_was_ended_meanwhile_is_replaced(backend: Backend) {
    let engine = engine_on(backend).await;
    let outside = a_test(&engine).await;
    let kept = others(&outside, backend, 1).await[0];
    let end = match backend {
        Backend::Postgres => format!("SELECT pg_terminate_backend({kept})"),
        _ => format!("KILL {kept}"),
    };
    outside.execute_unprepared(&end).await.unwrap();
    others(&outside, backend, 0).await;
    insert(&outside, "meanwhile").await.unwrap();
    outside.close().await.unwrap();
    a_test(&engine).await.close().await.unwrap();
    assert_eq!(engine.stats().databases_made, 1);
}

on_backend!(
    postgres,
    Postgres,
    the_connection_that_puts_back_is_kept_and_not_while_a_test_runs,
    one_that_was_ended_meanwhile_is_replaced,
);
on_backend!(
    mysql,
    MySql,
    the_connection_that_puts_back_is_kept_and_not_while_a_test_runs,
    one_that_was_ended_meanwhile_is_replaced,
);

#[test]
fn one_of_a_runtime_that_has_ended_is_replaced() {
    for backend in [Backend::Postgres, Backend::MySql] {
        let mut engine = None;
        for _ in 0..3 {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().unwrap();
            runtime.block_on(async {
                if engine.is_none() {
                    engine = Some(engine_on(backend).await);
                }
                let outside = a_test(engine.as_ref().unwrap()).await;
                outside.close().await.unwrap();
            });
        }
        assert_eq!(engine.unwrap().stats().databases_made, 1);
    }
}
