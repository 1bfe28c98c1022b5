//! Transactions that a test prepares for somebody else to commit, on a PostgreSQL server that lets it. They
//! outlive their session, hold its locks, and keep their database from being dropped.

use std::{fs::File, io::Write as _, path::PathBuf, process::Command};

use green_light_fixtures::{Backend, Engine, Isolation, Session};
use sea_orm::ConnectionTrait;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{
    checkout::Checkout,
    children::{Partner, part, said, say, value, wait_for_a_line},
    support::{count, insert, number, run, schema_on, text},
};

const TEST: &str =
    "prepared_transactions::what_a_test_prepares_ends_with_it_and_its_database_is_dropped";

/// A server that lets others prepare transactions.
struct Server {
    checkout: Checkout,
    holder: Partner,
    /// Where whoever owns it connects.
    url: String,
    data: PathBuf,
}

impl Server {
    fn start() -> Self {
        let checkout = Checkout::new();
        let mut first = Self::with(checkout);
        let settings = first.data.join("postgresql.conf");
        let settings = File::options().append(true).open(settings);
        writeln!(settings.unwrap(), "max_prepared_transactions = 5").unwrap();
        first.holder.tell("go");
        first.holder.end();
        first.checkout.stopped(&first.data);
        let second = Self::with(first.checkout);
        let most =
            run(second.number("SELECT current_setting('max_prepared_transactions')::bigint"));
        assert_eq!(most, 5);
        second
    }

    fn with(checkout: Checkout) -> Self {
        let mut holder = Partner::start(&mut checkout.playing(TEST, "hold"));
        let (url, data) = (holder.hear("url"), holder.hear("data"));
        Self {
            checkout,
            holder,
            url,
            data: data.into(),
        }
    }

    async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut self.admin().await)
            .await
            .unwrap()
    }

    /// A process of a user who may make databases, and nothing else.
    fn playing(&self, part: &str) -> Command {
        let mut command = self.checkout.playing(TEST, part);
        let url = self.url.replacen("postgres@", "tester@", 1);
        command.env("GREEN_LIGHT_POSTGRES_URL", url);
        command
    }

    fn end(mut self) {
        self.holder.tell("go");
        self.holder.end();
        self.checkout.end(&self.data);
    }
}

async fn engine() -> Engine {
    let engine = Engine::builder().backend(Backend::Postgres);
    let engine = engine.schema(schema_on(Backend::Postgres)).build();
    engine.await.unwrap()
}

async fn hold() {
    let session = engine().await.session(Isolation::Database).await.unwrap();
    let start = session.url().rsplit_once('/').unwrap().0;
    say("url", &format!("{start}/postgres"));
    say("data", &text(&*session, "SHOW data_directory").await);
    session.finish().await.unwrap();
    wait_for_a_line();
}

async fn begin(engine: &Engine, isolation: Isolation) -> Session {
    let session = engine.session(isolation).await.unwrap();
    insert(&*session, "once").await.unwrap();
    assert_eq!(
        count(&*session).await,
        2,
        "it has the rows of a test before"
    );
    session
}

/// Sends each of `texts` in one test; how that ended.
async fn one_test(isolation: Isolation, texts: &[&str]) -> Result<(), String> {
    let engine = engine().await;
    let session = begin(&engine, isolation).await;
    let number_of = "SELECT oid::bigint FROM pg_database WHERE datname = current_database()";
    let database = number(&*session, number_of).await;
    say("database", &database.to_string());
    for sql in texts {
        let done = session.execute_unprepared(sql).await;
        say("done", &format!("{done:?}"));
    }
    say(
        "prepared",
        &number(&*session, "SELECT count(*) FROM pg_prepared_xacts")
            .await
            .to_string(),
    );
    let ended = session.finish().await.map_err(|error| format!("{error:?}"));
    let next = begin(&engine, isolation).await;
    let is_other = number(&*next, number_of).await != database;
    assert!(
        is_other || texts == REFUSED,
        "the next test has the same database"
    );
    next.finish().await.unwrap();
    ended
}

const REFUSED: [&str; 1] = ["PREPARE TRANSACTION 'mine'"];

#[test]
fn what_a_test_prepares_ends_with_it_and_its_database_is_dropped() {
    let insert = "INSERT INTO u (email) VALUES ('mine')";
    let anew = format!("ROLLBACK; BEGIN READ WRITE; {insert}; PREPARE TRANSACTION 'mine'");
    let apart = ["ROLLBACK", "BEGIN READ WRITE", insert, REFUSED[0]];
    let own = format!("BEGIN; {insert}; PREPARE TRANSACTION 'it''s mine'");
    if let Some(part) = part() {
        let (isolation, texts) = match part.as_str() {
            "hold" => return run(hold()),
            "refused" => (Isolation::Transaction, &REFUSED[..]),
            "anew" => (Isolation::Transaction, &[&*anew][..]),
            "apart" => (Isolation::Transaction, &apart[..]),
            "own" => (Isolation::Database, &[&*own][..]),
            _ => (Isolation::Shared, &[&*own][..]),
        };
        let ended = run(one_test(isolation, texts));
        return say("ended", &format!("{ended:?}"));
    }
    let server = Server::start();
    run(async {
        let make = "CREATE ROLE tester LOGIN CREATEDB";
        server.admin().await.execute(make).await.unwrap();
    });
    for (part, prepared, ended) in [
        ("refused", "0", "by: `PREPARE TRANSACTION 'mine'`"),
        ("anew", "1", "ended the transaction that isolates it"),
        (
            "apart",
            "0",
            "tried to commit the transaction that isolates it",
        ),
        ("own", "1", "Ok(())"),
        (
            "shared",
            "1",
            "the transaction `it's mine` is prepared and not ended",
        ),
    ] {
        let said = said(server.playing(part).spawn().unwrap());
        assert_eq!(value(&said, "prepared"), prepared, "{said}");
        assert!(value(&said, "ended").contains(ended), "{said}");
        let left = run(server.number("SELECT count(*) FROM pg_prepared_xacts"));
        assert_eq!(left, 0, "{part}: {said}");
        let database = value(&said, "database");
        let there = format!("SELECT count(*) FROM pg_database WHERE oid = {database}");
        assert_eq!(run(server.number(&there)), 0, "{part}: {said}");
    }
    server.end();
}
