//! Code that ends the test's own transaction: refused, reported on that test, invisible to the next.

use sea_orm::{ConnectionTrait, TransactionTrait};
use sqlx_core::transaction::TransactionManager;

use crate::support::{begin, caught, count, engine, expect_clean, finish, insert, run};

#[test]
fn a_raw_commit_or_end_is_refused_and_reported() {
    run(async {
        let engine = engine().await;
        for sql in [
            "COMMIT",
            "END TRANSACTION",
            "commit; INSERT INTO u (email) VALUES ('later')",
        ] {
            let test = begin(&engine).await;
            let db = &test.connection();
            db.execute_unprepared(sql).await.unwrap_err();
            insert(db, "after").await.unwrap();
            assert_eq!(
                count(db).await,
                2,
                "the rest of the test has a working database"
            );
            let text = caught(&engine, test).await;
            assert!(text.contains("tried to commit"), "{text}");
        }
    });
}

#[test]
fn a_raw_commit_before_anything_is_written_is_refused_too() {
    run(async {
        let engine = engine().await;
        let test = engine.transaction_for("shop::guilty").await.unwrap();
        test.connection()
            .execute_unprepared("COMMIT")
            .await
            .unwrap_err();
        insert(&test.connection(), "after").await.unwrap();
        caught(&engine, test).await;
    });
}

#[test]
fn a_commit_inside_a_transaction_is_refused_and_the_transaction_is_lost() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let tx = test.connection().begin().await.unwrap();
        insert(&tx, "in").await.unwrap();
        tx.execute_unprepared("COMMIT").await.unwrap_err();
        insert(&tx, "autocommitted").await.unwrap_err();
        insert(&tx, "autocommitted").await.unwrap_err();
        tx.commit().await.unwrap_err();
        let text = caught(&engine, test).await;
        assert!(text.contains("writes refused after that: 2"), "{text}");
    });
}

#[test]
fn every_way_to_roll_everything_back_is_reported() {
    run(async {
        let engine = engine().await;
        for sql in [
            "ROLLBACK",
            "INSERT OR ROLLBACK INTO u (email) VALUES ('seed')",
            "UPDATE OR ROLLBACK u SET email = 'seed' WHERE email = 'before'",
            "CREATE TRIGGER no BEFORE DELETE ON u BEGIN SELECT RAISE(ROLLBACK, 'no'); END; DELETE FROM u",
            "CREATE TABLE c (x UNIQUE ON CONFLICT ROLLBACK); INSERT INTO c VALUES (1), (1)",
        ] {
            let test = begin(&engine).await;
            let db = &test.connection();
            let _ = db.execute_unprepared(sql).await;
            insert(db, "later").await.unwrap();
            assert_eq!(count(db).await, 2, "{sql}");
            let text = caught(&engine, test).await;
            assert!(
                text.contains("rolled back the transaction that isolates it"),
                "{text}"
            );
        }
    });
}

#[test]
fn the_statement_is_named_where_it_was_seen() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let sql = "INSERT OR ROLLBACK INTO u (email) VALUES ('seed')";
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql);
        test.connection().execute_raw(statement).await.unwrap_err();
        insert(&test.connection(), "another statement")
            .await
            .unwrap();
        let text = caught(&engine, test).await;
        assert!(text.contains(&format!("by: `{sql}`")), "{text}");

        let test = begin(&engine).await;
        test.session().execute_unprepared("ROLLBACK").await.unwrap();
        insert(&test.connection(), "another statement")
            .await
            .unwrap();
        assert!(caught(&engine, test).await.contains("by: `ROLLBACK`"));

        // However it is sent, and whatever is sent after it.
        for way in 0..4 {
            for sql in [
                "ROLLBACK",
                "SELECT 1;\n  ROLLBACK; SELECT 'and more'",
                "COMMIT",
            ] {
                let test = begin(&engine).await;
                let db = test.connection();
                let pool = db.get_sqlite_connection_pool();
                match way {
                    0 => drop(db.execute_unprepared(sql).await),
                    1 => drop(sqlx::raw_sql(sql).execute(pool).await),
                    2 => drop(sqlx::query(sql).fetch_all(pool).await),
                    _ => {
                        let tx = db.begin().await.unwrap();
                        drop(tx.execute_unprepared(sql).await);
                        drop(insert(&tx, "another statement").await);
                    }
                }
                insert(&db, "another statement").await.unwrap();
                drop(db);
                let text = caught(&engine, test).await;
                assert!(text.contains(&format!("by: `{sql}`")), "{way}: {text}");
            }
        }
    });
}

#[test]
fn a_raw_begin_is_an_error_and_harms_nothing() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = &test.connection();
        for sql in [
            "BEGIN",
            "BEGIN; INSERT INTO u (email) VALUES ('q'); COMMIT",
            "BEGIN EXCLUSIVE",
        ] {
            db.execute_unprepared(sql).await.unwrap_err();
        }
        assert_eq!(count(db).await, 2);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn a_nested_begin_that_fails_does_not_end_the_outer_transaction() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = &test.connection();
        for _ in 0..3 {
            let tx = db.begin().await.unwrap();
            let nested = tx.begin();
            drop(tokio::time::timeout(std::time::Duration::ZERO, nested).await);
            let _ = tx.commit().await;
        }
        assert_eq!(count(db).await, 2);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn raw_savepoints_nest_and_the_outermost_release_cannot_commit() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = &test.connection();
        db.execute_unprepared("SAVEPOINT s; INSERT INTO u (email) VALUES ('in'); RELEASE s")
            .await
            .unwrap();
        assert_eq!(count(db).await, 3);
        finish(test).await;
        expect_clean(&engine).await;

        let test = begin(&engine).await;
        let sql = "ROLLBACK; SAVEPOINT s; INSERT INTO u (email) VALUES ('in'); RELEASE s";
        test.connection().execute_unprepared(sql).await.unwrap_err();
        caught(&engine, test).await;
    });
}

#[test]
fn a_savepoint_left_open_by_hand_is_reported() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = &test.connection();
        let mut raw = db.get_sqlite_connection_pool().acquire().await.unwrap();
        sqlx::sqlite::SqliteTransactionManager::begin(&mut raw, None)
            .await
            .unwrap();
        drop(raw);
        insert(db, "in a new database").await.unwrap();
        assert!(caught(&engine, test).await.contains("savepoint still open"));
    });
}

#[test]
fn closing_the_connection_by_hand_is_reported() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = &test.connection();
        db.get_sqlite_connection_pool()
            .acquire()
            .await
            .unwrap()
            .close()
            .await
            .unwrap();
        assert_eq!(count(db).await, 1, "the rows went with the connection");
        assert!(caught(&engine, test).await.contains("lost its connection"));
    });
}

#[test]
fn detaching_the_connection_cannot_reach_the_next_test() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = &test.connection();
        let mut raw = db
            .get_sqlite_connection_pool()
            .acquire()
            .await
            .unwrap()
            .detach();
        assert_eq!(count(db).await, 1);
        caught(&engine, test).await;
        sqlx::query("INSERT INTO u (email) VALUES ('leak')")
            .execute(&mut raw)
            .await
            .unwrap();
        sqlx::query("COMMIT").execute(&mut raw).await.unwrap_err();
        expect_clean(&engine).await;
    });
}

#[test]
fn an_application_that_closes_its_pool_at_shutdown_is_no_breach() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        test.connection().clone().close().await.unwrap();
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn a_breach_is_reported_on_the_guilty_test_and_not_on_another() {
    run(async {
        let engine = engine().await;
        let innocent = engine.transaction_for("innocent").await.unwrap();
        insert(&innocent.connection(), "mine").await.unwrap();
        let guilty = begin(&engine).await;
        guilty
            .connection()
            .execute_unprepared("ROLLBACK")
            .await
            .unwrap();
        caught(&engine, guilty).await;
        assert_eq!(count(&innocent.connection()).await, 2);
        finish(innocent).await;
        expect_clean(&engine).await;
    });
}
