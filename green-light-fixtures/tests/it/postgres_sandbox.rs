//! Traps of PostgreSQL in a transaction that never ends: what is caught, what is as in production,
//! and what only a database of its own can do.

use std::time::Duration;

use green_light_fixtures::{Backend, Engine, Schema};
use sea_orm::{AccessMode, ConnectionTrait, TransactionTrait};

use crate::support::{
    begin, caught, count, engine_of, engine_on, expect_clean, finish, insert, number, run,
    send_text,
};

async fn engine() -> Engine {
    engine_on(Backend::Postgres).await
}

#[test]
fn no_text_that_commits_can_commit() {
    run(async {
        let engine = engine().await;
        for sql in [
            "COMMIT",
            "END",
            "BEGIN; INSERT INTO u (email) VALUES ('q'); COMMIT",
            "COMMIT AND CHAIN",
            "ROLLBACK",
            "ROLLBACK; INSERT INTO u (email) VALUES ('q')",
            "ABORT",
        ] {
            let test = begin(&engine).await;
            let db = test.connection();
            let _ = db.execute_unprepared(sql).await;
            insert(&db, "after").await.unwrap();
            assert_eq!(
                count(&db).await,
                2,
                "{sql}: the rest of the test has a working database"
            );
            drop(db);
            caught(&engine, test).await;
        }
    });
}

#[test]
fn a_commit_inside_a_transaction_is_refused_and_named_and_nothing_can_be_written_after_it() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        let tx = db.begin().await.unwrap();
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, "COMMIT");
        tx.execute_raw(statement).await.unwrap_err();
        let refused = insert(&tx, "autocommitted").await.unwrap_err().to_string();
        assert!(refused.contains("read-only transaction"), "{refused}");
        tx.commit().await.unwrap_err();
        drop(db);
        let text = caught(&engine, test).await;
        assert!(text.contains("by: `COMMIT`"), "{text}");
    });
}

#[test]
fn begins_in_an_aborted_transaction_do_not_reach_the_outer_one() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        let tx = db.begin().await.unwrap();
        insert(&tx, "seed").await.unwrap_err();
        tx.begin().await.map(drop).unwrap_err();
        tx.begin().await.map(drop).unwrap_err();
        // In production the commit of an aborted transaction is a silent rollback.
        tx.commit().await.unwrap_err();
        assert_eq!(count(&db).await, 2);
        drop(db);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn what_needs_no_transaction_is_refused_and_harms_nothing() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        for sql in [
            "VACUUM u",
            "CREATE INDEX CONCURRENTLY i ON u (email)",
            "CREATE DATABASE green_light_not_made",
            "ALTER SYSTEM SET work_mem = '4MB'",
        ] {
            let error = db.execute_unprepared(sql).await.unwrap_err().to_string();
            assert!(
                error.contains("cannot run inside a transaction block"),
                "{error}"
            );
        }
        assert_eq!(count(&db).await, 2);
        drop(db);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn the_clock_of_the_transaction_stands_still_and_the_other_one_goes() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        let same =
            "SELECT (now() = transaction_timestamp() AND clock_timestamp() > now())::int::bigint";
        assert_eq!(number(&db, same).await, 1);
        drop(db);
        finish(test).await;
        let next = begin(&engine).await;
        let db = next.connection();
        let young = "SELECT (clock_timestamp() - now() < interval '5 s')::int::bigint";
        assert_eq!(
            number(&db, young).await,
            1,
            "each test has a transaction of its own"
        );
        drop(db);
        finish(next).await;
    });
}

#[test]
fn a_commit_is_named_however_it_was_sent() {
    run(async {
        let engine = engine().await;
        for way in 0..3 {
            let sql = "SELECT 1;\n COMMIT";
            let test = begin(&engine).await;
            let db = test.connection();
            send_text(&db, way, sql).await;
            drop(db);
            let text = caught(&engine, test).await;
            assert!(text.contains("tried to commit"), "{way}: {text}");
            assert!(text.contains("by: `SELECT 1; COMMIT`"), "{way}: {text}");
        }
    });
}

#[test]
fn constraints_can_be_made_immediate_and_a_commit_is_still_refused() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        for _ in 0..2 {
            db.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE")
                .await
                .unwrap();
            db.execute_unprepared("SET CONSTRAINTS ALL DEFERRED")
                .await
                .unwrap();
        }
        assert_eq!(count(&db).await, 2);
        db.execute_unprepared("COMMIT").await.unwrap_err();
        drop(db);
        caught(&engine, test).await;
    });
}

#[test]
fn every_table_of_the_application_can_be_truncated_and_no_other_is_in_its_way() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        let tables =
            "SELECT count(*) FROM pg_tables WHERE schemaname = ANY (current_schemas(false))";
        assert_eq!(
            number(&db, tables).await,
            1,
            "what guards the transaction is elsewhere"
        );
        let sql = "DO $$ DECLARE t text; BEGIN
             FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = ANY (current_schemas(false))
             LOOP EXECUTE format('TRUNCATE %I CASCADE', t); END LOOP; END $$";
        db.execute_unprepared(sql).await.unwrap();
        assert_eq!(count(&db).await, 0);
        drop(db);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn deferred_constraints_are_checked_at_the_end() {
    run(async {
        let sql = "CREATE TABLE author (id int PRIMARY KEY);
            CREATE TABLE book (id int, author int REFERENCES author DEFERRABLE INITIALLY DEFERRED)";
        let engine = engine_of(Backend::Postgres, Schema::sql(sql)).await;
        for (sql, holds) in [
            ("INSERT INTO book VALUES (3, 7)", false),
            (
                "INSERT INTO book VALUES (3, 7); INSERT INTO author VALUES (7)",
                true,
            ),
        ] {
            let test = engine.transaction_for("shop::orphans").await.unwrap();
            test.connection().execute_unprepared(sql).await.unwrap();
            match test.finish().await {
                Ok(()) => assert!(holds, "{sql}"),
                Err(error) => {
                    assert!(!holds && error.is_constraint(), "{error:?}");
                    let text = error.to_string();
                    assert!(text.contains("(author)=(7) is not present"), "{text}");
                }
            }
            let next = engine.transaction_for("next").await.unwrap();
            assert_eq!(
                number(&next.connection(), "SELECT count(*) FROM book").await,
                0
            );
            finish(next).await;
        }
    });
}

#[test]
fn read_only_transactions_are_read_only_and_no_longer_than_that() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        let tx = db
            .begin_with_config(None, Some(AccessMode::ReadOnly))
            .await
            .unwrap();
        insert(&tx, "refused").await.unwrap_err();
        tx.rollback().await.unwrap();
        insert(&db, "accepted").await.unwrap();
        assert_eq!(count(&db).await, 3);
        drop(db);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn a_query_left_running_is_ended_soon_after_its_test() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        let (started, running) = tokio::sync::oneshot::channel();
        let endless = tokio::spawn(async move {
            let tx = db.begin().await.unwrap();
            started.send(()).unwrap();
            tx.execute_unprepared("SELECT pg_sleep(600)")
                .await
                .map(drop)
        });
        running.await.unwrap();
        assert!(test.finish().await.unwrap_err().is_held());
        expect_clean(&engine).await;
        let ended = tokio::time::timeout(Duration::from_secs(30), endless).await;
        ended.unwrap().unwrap().unwrap_err();
    });
}

/// How many bytes the guard of a slot takes.
const GUARD: &str = "SELECT pg_relation_size('green_light.guard')";

/// Each test leaves a row in its guard that PostgreSQL itself never removes.
#[test]
fn the_guard_of_a_slot_does_not_grow_with_its_tests() {
    run(async {
        let plain = "CREATE TABLE a (x int)";
        // With it, each statement of a test leaves another row.
        let deferred = "CREATE TABLE a (x int UNIQUE DEFERRABLE INITIALLY DEFERRED)";
        for (sql, tests, statements) in [(plain, 1_000, 1), (deferred, 40, 30)] {
            let engine = engine_of(Backend::Postgres, Schema::sql(sql)).await;
            let mut most = 0;
            for _ in 0..tests {
                let test = engine.transaction().await.unwrap();
                let db = test.connection();
                for _ in 0..statements {
                    most = most.max(number(&db, GUARD).await);
                }
                drop(db);
                finish(test).await;
            }
            let stats = engine.stats();
            assert_eq!((stats.slots_opened, stats.slots_discarded), (1, 0));
            // Pages of 8 kB with 226 rows each.
            assert!(most <= 4 * 8_192, "{most} bytes: {sql}");
        }
    });
}
