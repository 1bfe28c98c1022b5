//! What `shared` promises on every backend: one URL, and behind it the template before each test.

use std::time::Duration;

use green_light_fixtures::{Backend, Engine, Isolation, Session};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

use crate::support::{count, engine_on, insert, number, outside};

async fn shared(engine: &Engine) -> Session {
    engine.session(Isolation::Shared).await.unwrap()
}

/// What a test may do to the table `u`, its rows, and what surrounds it.
fn changes(backend: Backend) -> &'static [&'static str] {
    match backend {
        Backend::Postgres => &[
            "INSERT INTO u (email) VALUES ('more')",
            "DELETE FROM u",
            "UPDATE u SET email = 'SEED'",
            "TRUNCATE u",
            "DROP TABLE u",
            "ALTER TABLE u ADD COLUMN age int",
            "ALTER TABLE u FORCE ROW LEVEL SECURITY",
            "ALTER TABLE u RENAME TO v",
            "ALTER SEQUENCE u_id_seq RESTART WITH 1000 CYCLE",
            "SELECT setval('u_id_seq', 9223372036854775807)",
            "CREATE TYPE mood AS ENUM ('sad')",
            "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "CREATE CAST (text AS json) WITH INOUT AS IMPLICIT",
            "COMMENT ON TABLE u IS 'changed'",
            "SELECT lo_create(4711)",
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = nowhere', current_database()); END $$",
            "CREATE SCHEMA more; ALTER TABLE u SET SCHEMA more",
        ],
        Backend::MySql => &[
            "INSERT INTO u (email) VALUES ('more')",
            "DELETE FROM u",
            "UPDATE u SET email = 'SEED'",
            "TRUNCATE u",
            "DROP TABLE u",
            "ALTER TABLE u ADD COLUMN age int",
            "ALTER TABLE u AUTO_INCREMENT = 1000",
            "RENAME TABLE u TO v",
            "CREATE VIEW w AS SELECT * FROM u",
            "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET NEW.email = 'changed'",
            "CREATE PROCEDURE p() SELECT 1",
            "ALTER TABLE u COMMENT = 'changed'",
            "ALTER TABLE u MODIFY email VARCHAR(191) NOT NULL",
            "ALTER DATABASE CHARACTER SET latin1",
            "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM u",
            "CREATE FUNCTION f() RETURNS INT RETURN 1",
            "ALTER TABLE u STATS_PERSISTENT = 0",
        ],
        _ => &[
            "INSERT INTO u (email) VALUES ('more')",
            "DELETE FROM u",
            "UPDATE u SET email = 'SEED'",
            "DROP TABLE u",
            "ALTER TABLE u ADD COLUMN age int",
            "ALTER TABLE u RENAME TO v",
            "CREATE TRIGGER t AFTER INSERT ON u BEGIN DELETE FROM u; END",
            "VACUUM",
        ],
    }
}

/// Whether `u` has its one row and its two columns, and counts from there.
async fn expect_template(session: &Session, after: &str) {
    let sql = "SELECT count(*) FROM u WHERE email = 'seed' AND id = 1";
    let is_seed = session
        .query_one_raw(Statement::from_string(session.get_database_backend(), sql))
        .await;
    let found: Result<i64, DbErr> = is_seed.and_then(|row| row.unwrap().try_get_by_index(0));
    assert_eq!(found, Ok(1), "after {after}");
    insert(session, "next").await.unwrap();
    assert_eq!(
        number(&**session, "SELECT max(id) FROM u").await,
        2,
        "after {after}"
    );
    assert_eq!(count(session).await, 2, "after {after}");
}

async fn whatever_a_test_changes_the_next_finds_the_template_at_the_same_url(backend: Backend) {
    let engine = engine_on(backend).await;
    let at = {
        let session = shared(&engine).await;
        let at = session.url().clone();
        session.finish().await.unwrap();
        at
    };
    for sql in changes(backend) {
        let session = shared(&engine).await;
        session.execute_unprepared(sql).await.unwrap();
        session.finish().await.unwrap();
        let next = shared(&engine).await;
        assert_eq!(*next.url(), at, "after {sql}");
        expect_template(&next, sql).await;
        next.finish().await.unwrap();
    }
    assert_eq!(engine.stats().databases_made, 1);
}

/// As an application has that connects once and keeps its pool.
async fn count_through(pool: &DatabaseConnection) -> i64 {
    number(pool, "SELECT count(*) FROM u").await
}

async fn a_pool_that_stays_open_sees_each_test_alone(backend: Backend) {
    let engine = engine_on(backend).await;
    let mut pool = None;
    for test in 0..4 {
        let session = shared(&engine).await;
        if pool.is_none() {
            pool = Some(outside(session.url().expose()).await);
        }
        let pool = pool.as_ref().unwrap();
        assert_eq!(count_through(pool).await, 1, "test {test}");
        insert(pool, "through the pool").await.unwrap();
        insert(&session, "through the session").await.unwrap();
        assert_eq!(count_through(pool).await, 3, "test {test}");
        assert_eq!(count(&session).await, 3, "test {test}");
        session.finish().await.unwrap();
    }
    pool.unwrap().close().await.unwrap();
}

/// A connection that a test leaves with a transaction open is reported, and its database stays where it is.
async fn after_an_open_transaction_the_url_stays(backend: Backend) {
    let engine = engine_on(backend).await;
    let session = shared(&engine).await;
    let at = session.url().clone();
    let leaked = outside(at.expose()).await;
    leaked.execute_unprepared("BEGIN").await.unwrap();
    insert(&leaked, "leaked").await.unwrap();
    let error = session.finish().await.unwrap_err();
    assert!(error.is_held(), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("left the shared database locked"),
        "{error}"
    );
    let next = shared(&engine).await;
    assert_eq!(*next.url(), at);
    // It cannot be committed on a server, and reaches another file on SQLite.
    let _ = leaked.execute_unprepared("COMMIT").await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    expect_template(&next, "a transaction left open").await;
    next.finish().await.unwrap();
    assert_eq!(engine.stats().databases_made, 1);
}

on_each_backend!(
    whatever_a_test_changes_the_next_finds_the_template_at_the_same_url,
    a_pool_that_stays_open_sees_each_test_alone,
    after_an_open_transaction_the_url_stays,
);
