//! Hostile texts and cancellations in random order, on each backend.
//!
//! `GREEN_LIGHT_FUZZ_TRIES=10000` makes it as long as a night; the seed is fixed.

use std::time::Duration;

use green_light_fixtures::{Backend, Session};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, TransactionTrait};

use crate::support::{count, engine_on, expect_clean};

const SQLITE: &[&str] = &[
    "COMMIT",
    "ROLLBACK",
    "BEGIN",
    "SAVEPOINT a",
    "RELEASE a",
    "ROLLBACK TO a",
    "INSERT INTO u (email) VALUES (hex(randomblob(8)))",
    "INSERT OR ROLLBACK INTO u (email) VALUES ('seed')",
    "CREATE TABLE IF NOT EXISTS x (y)",
    "RELEASE _sqlx_savepoint_2",
    "DELETE FROM u",
    "END; INSERT INTO u (email) VALUES (hex(randomblob(8))); COMMIT",
];

const POSTGRES: &[&str] = &[
    "COMMIT",
    "ROLLBACK",
    "ABORT",
    "BEGIN",
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "START TRANSACTION READ ONLY",
    "SAVEPOINT a",
    "RELEASE a",
    "ROLLBACK TO a",
    "INSERT INTO u (email) VALUES (md5(random()::text))",
    "INSERT INTO u (email) VALUES ('seed')",
    "CREATE TABLE IF NOT EXISTS x (y int)",
    "DROP TABLE IF EXISTS x",
    "RELEASE SAVEPOINT _sqlx_savepoint_8",
    "RELEASE SAVEPOINT green_light",
    "ROLLBACK TO SAVEPOINT green_light",
    "DELETE FROM u",
    "END; INSERT INTO u (email) VALUES (md5(random()::text)); COMMIT",
    "ROLLBACK; INSERT INTO u (email) VALUES (md5(random()::text))",
    "BEGIN; INSERT INTO u (email) VALUES (md5(random()::text)); COMMIT",
    "SET CONSTRAINTS ALL IMMEDIATE",
    "SET CONSTRAINTS ALL IMMEDIATE; COMMIT",
    "PREPARE TRANSACTION 'p'",
    "DISCARD ALL",
    "SELECT pg_sleep(0.001)",
];

const MYSQL: &[&str] = &[
    "COMMIT",
    "ROLLBACK",
    "BEGIN",
    "START TRANSACTION",
    "SAVEPOINT a",
    "RELEASE SAVEPOINT a",
    "ROLLBACK TO a",
    "INSERT INTO u (email) VALUES (uuid())",
    "INSERT INTO u (email) VALUES ('seed')",
    "CREATE TABLE IF NOT EXISTS x (y int)",
    "CREATE TEMPORARY TABLE IF NOT EXISTS tt (y int)",
    "DROP TABLE IF EXISTS x",
    "TRUNCATE u",
    "ALTER TABLE u ADD COLUMN z int",
    "SET autocommit = 1",
    "DELETE FROM u",
    "LOCK TABLES u WRITE",
    "COMMIT; INSERT INTO u (email) VALUES (uuid())",
];

/// Marsaglia's xorshift, so that a failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn text(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.below(texts.len())]
    }
}

fn tries(short: usize) -> usize {
    let asked = std::env::var("GREEN_LIGHT_FUZZ_TRIES").ok();
    asked.and_then(|tries| tries.parse().ok()).unwrap_or(short)
}

/// Uses the session with random texts; one in four uses is cancelled after a random time.
async fn use_it(session: &Session, texts: &[&'static str], random: &mut Random) {
    let db = session.connection();
    for _ in 0..random.below(6) {
        let text = random.text(texts);
        let patience = Duration::from_micros(random.below(800) as u64);
        if random.below(4) == 0 {
            let _ = tokio::time::timeout(patience, db.execute_unprepared(text)).await;
        } else {
            let _ = db.execute_unprepared(text).await;
        }
    }
    if let Ok(tx) = db.begin().await {
        for _ in 0..random.below(6) {
            let _ = tx.execute_unprepared(random.text(texts)).await;
        }
        if random.below(2) == 0 {
            let _ = tx.commit().await;
        }
    }
}

/// A connection of its own to the database of `session`.
async fn outside(session: &Session) -> DatabaseConnection {
    let mut options = ConnectOptions::new(session.url().expose().to_owned());
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

async fn nothing_is_left_behind(backend: Backend) {
    let texts = match backend {
        Backend::Postgres => POSTGRES,
        _ => SQLITE,
    };
    let engine = engine_on(backend).await;
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for number in 0..tries(80) {
        let test = engine.transaction_for("fuzzed").await.unwrap();
        let session = test.session();
        // SQLite's database is in memory: there is no outside.
        let outside = match backend {
            Backend::Sqlite => None,
            _ => Some(outside(&session).await),
        };
        use_it(&session, texts, &mut random).await;
        if let Some(outside) = outside {
            assert_eq!(count(&outside).await, 1, "try {number}");
            outside.close().await.unwrap();
        }
        drop(session);
        let _ = test.finish().await;
        expect_clean(&engine).await;
    }
}

on_backend!(sqlite, Sqlite, nothing_is_left_behind);
on_backend!(postgres, Postgres, nothing_is_left_behind);

async fn what_commits_is_reported_with_its_statement(backend: Backend) {
    let engine = engine_on(backend).await;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for number in 0..tries(60) {
        let test = engine.transaction_for("fuzzed").await.unwrap();
        let session = test.session();
        let outside = outside(&session).await;
        for _ in 0..random.below(6) {
            let _ = session.execute_unprepared(random.text(MYSQL)).await;
        }
        let shown = "SELECT coalesce(group_concat(email), '') = 'seed' FROM u";
        let kept = crate::support::number(&outside, shown).await == 1;
        outside.close().await.unwrap();
        drop(session);
        match test.finish().await {
            Ok(()) => assert!(kept, "try {number}: rows were committed and nobody said so"),
            Err(error) => {
                let text = error.to_string();
                assert!(
                    !error.is_breach() || text.contains("\n  by: `"),
                    "try {number}: {text}"
                );
            }
        }
        expect_clean(&engine).await;
    }
}

on_backend!(mysql, MySql, what_commits_is_reported_with_its_statement);
