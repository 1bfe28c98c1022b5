//! Transactions of `XA` that a test prepares and does not end. They outlive their session, and keep their
//! database from being dropped.

use std::{process::Command, time::Duration};

use green_light_fixtures::{Backend, Engine, Isolation, Session};
use sea_orm::ConnectionTrait;
use sqlx::{Connection, Executor, MySqlConnection};

use crate::{
    checkout::Checkout,
    children::{Partner, part, said, say, value, wait_for_a_line},
    support::{administrator, insert, run, schema_on, server_of},
};

const TEST: &str = "xa::what_a_test_prepares_ends_when_it_can_be_nobody_elses";

async fn session() -> Session {
    let engine = Engine::builder().backend(Backend::MySql);
    let engine = engine.schema(schema_on(Backend::MySql)).build();
    let engine = engine.await.unwrap();
    engine.session(Isolation::Database).await.unwrap()
}

/// A process that lives until it is told.
async fn hold() {
    let session = session().await;
    say("url", &administrator(session.url().expose()));
    let row = session.query_one_raw(sea_orm::Statement::from_string(
        sea_orm::DbBackend::MySql,
        "SELECT @@datadir",
    ));
    let data: String = row.await.unwrap().unwrap().try_get_by_index(0).unwrap();
    say("data", data.trim_end_matches('/'));
    wait_for_a_line();
    session.finish().await.unwrap();
}

/// A test that prepares two transactions, whose names are no text.
async fn prepare() {
    let session = session().await;
    let mut connection = MySqlConnection::connect(session.url().expose())
        .await
        .unwrap();
    for name in ["'it''s'", "0x61006200,'b',7"] {
        let text = format!(
            "XA START {name}; INSERT INTO u (email) VALUES (uuid()); XA END {name}; XA PREPARE {name}"
        );
        connection.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
        // A session can have one.
        connection.close().await.unwrap();
        connection = MySqlConnection::connect(session.url().expose())
            .await
            .unwrap();
    }
    insert(&session, "other").await.unwrap();
    session.finish().await.unwrap();
}

/// A connection to the server of `url`, whose database may be gone.
async fn admin(url: &str) -> MySqlConnection {
    MySqlConnection::connect(&server_of(url)).await.unwrap()
}

/// Prepared transactions, and databases of tests, on the server.
async fn counts(url: &str) -> (usize, usize) {
    let mut admin = admin(url).await;
    let prepared = admin.fetch_all("XA RECOVER").await.unwrap().len();
    let databases = "SELECT name FROM green_light.test_databases WHERE state IN ('taken', 'done')";
    let databases = admin.fetch_all(databases).await.unwrap().len();
    (prepared, databases)
}

#[test]
fn what_a_test_prepares_ends_when_it_can_be_nobody_elses() {
    match part().as_deref() {
        Some("hold") => return run(hold()),
        Some("prepare") => return run(prepare()),
        Some(_) => {
            return run(async {
                let session = session().await;
                // What ended processes have left is dropped beside the tests.
                let mut left = counts(session.url().expose()).await;
                for _ in 0..300 {
                    if left == (0, 1) {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    left = counts(session.url().expose()).await;
                }
                say("left", &format!("{} {}", left.0, left.1));
                session.finish().await.unwrap();
            });
        }
        None => {}
    }
    let checkout = Checkout::new();
    let playing = |part: &str| -> Command { checkout.playing(TEST, part) };
    let mut holder = Partner::start(&mut playing("hold"));
    let (url, data) = (holder.hear("url"), holder.hear("data"));
    // One of many processes, which leave it to each other to drop what is there.
    said(playing("prepare").env("NEXTEST", "1").spawn().unwrap());
    assert_eq!(run(counts(&url)), (2, 2), "of a process that may live yet");
    holder.tell("go");
    holder.end();
    let said = said(playing("look").spawn().unwrap());
    assert_eq!(value(&said, "left"), "0 1", "{said}");
    checkout.end(data.as_ref());
}

/// What such a test sends.
const SAME: &str =
    "XA START 'same'; INSERT INTO u (email) VALUES ('xa'); XA END 'same'; XA PREPARE 'same'";

const AGAIN: &str = "xa::a_name_that_a_test_has_prepared_is_free_in_the_next_one";

/// How many prepared transactions there are.
async fn prepared(session: &Session) -> usize {
    counts(session.url().expose()).await.0
}

/// Tests that each prepare a transaction of the same name, in all ways in which a test may commit.
async fn prepare_the_same_name() {
    let engine = Engine::builder().backend(Backend::MySql);
    let engine = engine.schema(schema_on(Backend::MySql)).build();
    let engine = engine.await.unwrap();
    for isolation in [
        Isolation::Database,
        Isolation::Database,
        Isolation::Shared,
        Isolation::Shared,
        Isolation::Transaction,
        Isolation::Transaction,
    ] {
        let session = engine.session(isolation).await.unwrap();
        assert_eq!(prepared(&session).await, 0, "{isolation:?}");
        let mut connection = MySqlConnection::connect(session.url().expose())
            .await
            .unwrap();
        connection.execute(SAME).await.unwrap();
        connection.close().await.unwrap();
        session.finish().await.unwrap();
    }
    // On the connection of a transaction, which it commits.
    let text = "COMMIT; SET SESSION TRANSACTION READ WRITE; \
        XA START 'same'; INSERT INTO u (email) VALUES ('xa'); XA END 'same'; XA PREPARE 'same'";
    for _ in 0..2 {
        let session = engine.session(Isolation::Transaction).await.unwrap();
        assert_eq!(prepared(&session).await, 0);
        session.mysql_pool().execute(text).await.unwrap();
        assert!(session.finish().await.unwrap_err().is_breach());
    }
    // By tests that are not waited for.
    for isolation in [
        Isolation::Transaction,
        Isolation::Database,
        Isolation::Shared,
        Isolation::Shared,
    ] {
        let session = engine.session(isolation).await.unwrap();
        assert_eq!(prepared(&session).await, 0, "{isolation:?}");
        let url = session.url().expose().to_owned();
        let mut connection = MySqlConnection::connect(&url).await.unwrap();
        connection.execute(SAME).await.unwrap();
        connection.close().await.unwrap();
        drop(session);
        // Nothing is done to a shared database until the next test is to have it.
        while isolation != Isolation::Shared && counts(&url).await.0 > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A process that is killed when its test has prepared a transaction.
async fn prepare_and_wait() {
    let session = session().await;
    let url = session.url().expose();
    let mut connection = MySqlConnection::connect(url).await.unwrap();
    connection.execute(SAME).await.unwrap();
    connection.close().await.unwrap();
    say("url", &administrator(url));
    wait_for_a_line();
}

/// Waits until the server has noticed that no client is connected any more.
async fn wait_until_alone(url: &str) {
    let others = "SELECT count(*) FROM information_schema.processlist \
        WHERE id <> connection_id() AND (db LIKE 'gl%' OR db = 'mysql')";
    let mut admin = admin(url).await;
    while sqlx::query_scalar::<_, i64>(others)
        .fetch_one(&mut admin)
        .await
        .unwrap()
        > 0
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    admin.close().await.unwrap();
}

#[test]
fn a_name_that_a_test_has_prepared_is_free_in_the_next_one() {
    match part().as_deref() {
        Some("killed") => return run(prepare_and_wait()),
        Some("next") => {
            return run(async {
                let session = session().await;
                say("left", &prepared(&session).await.to_string());
                session.finish().await.unwrap();
            });
        }
        _ => {}
    }
    if part().is_some() {
        return run(async {
            let session = session().await;
            let row = session.query_one_raw(sea_orm::Statement::from_string(
                sea_orm::DbBackend::MySql,
                "SELECT @@datadir",
            ));
            let data: String = row.await.unwrap().unwrap().try_get_by_index(0).unwrap();
            say("data", data.trim_end_matches('/'));
            session.finish().await.unwrap();
            prepare_the_same_name().await;
        });
    }
    let checkout = Checkout::new();
    let said = said(checkout.playing(AGAIN, "prepare").spawn().unwrap());
    let data = value(&said, "data").to_owned();
    let mut killed = Partner::start(&mut checkout.playing(AGAIN, "killed"));
    let url = killed.hear("url");
    killed.kill();
    run(wait_until_alone(&url));
    let next = crate::children::said(checkout.playing(AGAIN, "next").spawn().unwrap());
    assert_eq!(value(&next, "left"), "0", "{next}");
    checkout.end(data.as_ref());
}
