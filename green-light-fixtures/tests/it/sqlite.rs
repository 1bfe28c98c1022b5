//! Traps of SQLite itself: locks, journals, images, timers.

use std::{fs, time::Duration};

use green_light_fixtures::{Engine, Schema};
use sea_orm::{ConnectionTrait, TransactionTrait};
use sqlx::{
    ConnectOptions, Connection,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};

use crate::support::{count, engine, expect_clean, finish, insert, number, run, schema};

/// An engine with its database in a file, the file's options, and what keeps its directory.
async fn in_file() -> (Engine, SqliteConnectOptions, tempfile::TempDir) {
    let base = tempfile::tempdir().unwrap();
    let engine = Engine::builder()
        .schema(schema())
        .directory(base.path())
        .build()
        .await
        .unwrap();
    expect_clean(&engine).await;
    let own = engine
        .url()
        .expose()
        .trim_start_matches("sqlite://")
        .to_owned();
    let mut entries = fs::read_dir(own)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let file = entries
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "sqlite")
        })
        .unwrap();
    let options = SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(Duration::from_millis(20));
    (engine, options, base)
}

#[test]
fn the_outer_transaction_takes_the_write_lock_at_once() {
    run(async {
        let (engine, options, _base) = in_file().await;
        let test = engine.transaction().await.unwrap();
        assert_eq!(count(&test.connection()).await, 1);
        let mut other: SqliteConnection = options.connect().await.unwrap();
        let error = sqlx::query("DELETE FROM u")
            .execute(&mut other)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("locked"), "{error}");
        let tx = test.connection().begin().await.unwrap();
        assert_eq!(count(&tx).await, 1);
        insert(&tx, "read first, then written").await.unwrap();
        tx.commit().await.unwrap();
        other.close().await.unwrap();
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn another_connection_to_the_file_sees_nothing_of_the_test() {
    run(async {
        let (engine, options, _base) = in_file().await;
        let test = engine.transaction().await.unwrap();
        insert(&test.connection(), "mine").await.unwrap();
        let mut other = options.read_only(true).connect().await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM u")
            .fetch_one(&mut other)
            .await
            .unwrap();
        assert_eq!(rows, 1);
        other.close().await.unwrap();
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn a_database_in_a_file_has_no_journal_beside_it() {
    run(async {
        let (engine, options, _base) = in_file().await;
        let test = engine.transaction().await.unwrap();
        let db = test.connection();
        for i in 0..500 {
            insert(&db, &format!("{i} {}", "x".repeat(500)))
                .await
                .unwrap();
        }
        let own = options.get_filename().parent().unwrap();
        let mut names: Vec<_> = fs::read_dir(own)
            .unwrap()
            .map(|entry| entry.unwrap().path().extension().unwrap().to_owned())
            .collect();
        names.sort();
        assert_eq!(names, ["lock", "sqlite"]);
        drop(db);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn a_writer_in_one_test_neither_blocks_nor_hangs_one_in_another() {
    run(async {
        let engine = engine().await;
        let (a, b) = (
            engine.transaction().await.unwrap(),
            engine.transaction().await.unwrap(),
        );
        let tx = a.connection().begin().await.unwrap();
        insert(&tx, "open").await.unwrap();
        assert_eq!(count(&b.connection()).await, 1);
        insert(&b.connection(), "open").await.unwrap();
        tx.rollback().await.unwrap();
        finish(a).await;
        finish(b).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn a_schema_that_asks_for_wal_still_makes_an_image_that_opens() {
    run(async {
        let sql = "PRAGMA journal_mode = WAL; CREATE TABLE u (id INTEGER PRIMARY KEY, email TEXT); \
                   INSERT INTO u (email) VALUES ('seed')";
        let base = tempfile::tempdir().unwrap();
        let memory = Engine::builder().schema(Schema::sql(sql));
        let file = memory.clone().directory(base.path());
        for builder in [memory, file] {
            let engine = builder.build().await.unwrap();
            expect_clean(&engine).await;
            expect_clean(&engine).await;
        }
    });
}

#[test]
fn ids_start_equal_in_every_test() {
    run(async {
        let sql = "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, x INTEGER)";
        let engine = Engine::builder()
            .schema(Schema::sql(sql))
            .build()
            .await
            .unwrap();
        for _ in 0..3 {
            let test = engine.transaction().await.unwrap();
            let db = test.connection();
            db.execute_unprepared("INSERT INTO a (x) VALUES (7)")
                .await
                .unwrap();
            assert_eq!(number(&db, "SELECT max(id) FROM a").await, 1);
            drop(db);
            finish(test).await;
        }
    });
}

#[test]
fn a_cancelled_query_keeps_the_rows_of_the_test() {
    run(async {
        let engine = engine().await;
        let test = engine.transaction().await.unwrap();
        let db = test.connection();
        insert(&db, "kept").await.unwrap();
        let sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000) \
                   INSERT INTO u (email) SELECT x FROM n WHERE x % 100000 = 0";
        let slow = db.execute_unprepared(sql);
        let cancelled = tokio::time::timeout(Duration::from_millis(1), slow).await;
        assert!(cancelled.is_err(), "the query is slower than a millisecond");
        // SQLite finishes what it has begun; the next query waits for it within the usual time.
        while db.ping().await.is_err() {}
        let rows = count(&db).await;
        assert!(rows == 2 || rows == 5, "{rows}");
        drop(db);
        finish(test).await;
        expect_clean(&engine).await;
    });
}
