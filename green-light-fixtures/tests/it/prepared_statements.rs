//! Statements that sqlx has prepared on a kept connection, and tests that change what they are about.

use green_light_fixtures::{Backend, Engine};
use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::support::{begin, engine_on, finish, insert, number, run};

async fn engine() -> Engine {
    engine_on(Backend::Postgres).await
}

async fn columns(db: &impl ConnectionTrait) -> usize {
    let all = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, "SELECT * FROM u");
    let rows = db.query_all_raw(all).await.unwrap();
    rows[0].column_names().len()
}

#[test]
fn prepared_statements_do_not_describe_the_tables_of_a_test_before() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        let tx = db.begin().await.unwrap();
        tx.execute_unprepared("ALTER TABLE u ADD COLUMN age int")
            .await
            .unwrap();
        assert_eq!(columns(&tx).await, 3);
        tx.rollback().await.unwrap();
        drop(db);
        finish(test).await;
        let next = begin(&engine).await;
        let db = next.connection();
        assert_eq!(columns(&db).await, 2);
        drop(db);
        finish(next).await;
    });
}

#[test]
fn a_test_may_alter_a_table_that_a_test_before_it_has_queried() {
    run(async {
        let engine = engine().await;
        let sql = "ALTER TABLE u ADD COLUMN age int";
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
        for way in 0..5 {
            let test = begin(&engine).await;
            let db = test.connection();
            assert_eq!(columns(&db).await, 2);
            drop(db);
            finish(test).await;
            let test = begin(&engine).await;
            let db = test.connection();
            match way {
                0 => drop(test.session().execute_unprepared(sql).await.unwrap()),
                1 => drop(db.execute_unprepared(sql).await.unwrap()),
                2 => drop(db.execute_raw(statement.clone()).await.unwrap()),
                3 => {
                    let pool = db.get_postgres_connection_pool();
                    sqlx::raw_sql(sql).execute(pool).await.unwrap();
                }
                _ => {
                    let tx = db.begin().await.unwrap();
                    tx.execute_raw(statement.clone()).await.unwrap();
                    insert(&tx, "inside").await.unwrap();
                    tx.commit().await.unwrap();
                }
            }
            assert_eq!(columns(&db).await, 3, "{way}");
            drop(db);
            finish(test).await;
        }
    });
}

/// Sends `text` in one test, by a connection of SeaORM, of which green-light hears nothing; what `look` finds then, and
/// in the next test, which has another session.
async fn before_and_after(engine: &Engine, text: &str, look: &str) -> (i64, i64) {
    const SESSION: &str = "SELECT pg_backend_pid()::bigint";
    let test = begin(engine).await;
    let db = test.connection();
    let session = number(&db, SESSION).await;
    db.execute_unprepared(text).await.unwrap();
    let found = number(&db, look).await;
    drop(db);
    finish(test).await;
    let next = begin(engine).await;
    let db = next.connection();
    assert_ne!(number(&db, SESSION).await, session, "{text}");
    let left = number(&db, look).await;
    drop(db);
    finish(next).await;
    (found, left)
}

#[test]
fn what_a_test_prepares_as_text_does_not_reach_the_next_one() {
    run(async {
        let engine = engine().await;
        let look = "SELECT count(*) FROM pg_prepared_statements WHERE from_sql";
        for text in [
            "PREPARE mine AS SELECT 1",
            "PREPARE \"Mine \"\"too\"\"\" (int) AS SELECT $1; PREPARE mine AS INSERT INTO u (email) VALUES ('x')",
        ] {
            let (found, left) = before_and_after(&engine, text, look).await;
            assert!(found > 0, "{text}");
            assert_eq!(left, 0, "{text}");
        }
        // Seen by the server alone, between statements that leave nothing: the session stays, and those of sqlx do,
        // which is what makes the next test fast.
        let of_sqlx = "SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql";
        let test = begin(&engine).await;
        let tx = test.connection().begin().await.unwrap();
        let before = number(&tx, of_sqlx).await;
        tx.execute_unprepared("PREPARE mine AS SELECT 1")
            .await
            .unwrap();
        assert_eq!(number(&tx, look).await, 1);
        tx.commit().await.unwrap();
        finish(test).await;
        let next = begin(&engine).await;
        assert_eq!(number(&next.connection(), look).await, 0);
        assert!(number(&next.connection(), of_sqlx).await >= before);
        finish(next).await;
    });
}

#[test]
fn channels_cursors_and_roles_of_a_test_do_not_reach_the_next_one() {
    run(async {
        let engine = engine().await;
        let role = "SELECT (current_user <> session_user OR session_user <> \
                    (SELECT usename FROM pg_stat_activity WHERE pid = pg_backend_pid()))::int::bigint";
        for (text, look, found) in [
            // It begins with a commit, of which there is none.
            (
                "LISTEN mine",
                "SELECT count(*) FROM pg_listening_channels()",
                0,
            ),
            (
                "DECLARE mine CURSOR WITH HOLD FOR SELECT * FROM u",
                "SELECT count(*) FROM pg_cursors WHERE name = 'mine'",
                1,
            ),
            ("SET ROLE pg_monitor", role, 1),
            ("SET SESSION AUTHORIZATION pg_monitor", role, 1),
            (
                "SET work_mem = '7MB'",
                "SELECT count(*) FROM pg_settings WHERE name = 'work_mem' AND setting = '7168'",
                1,
            ),
            (
                "SELECT pg_advisory_lock(7)",
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 \
                 AND pid = pg_backend_pid()",
                1,
            ),
        ] {
            let seen = before_and_after(&engine, text, look).await;
            assert_eq!(seen, (found, 0), "{text}");
        }
    });
}

/// With `max_prepared_transactions` the server would otherwise let another session commit it.
#[test]
fn a_transaction_that_is_prepared_for_somebody_else_to_commit_is_refused() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        let refused = db.execute_unprepared("PREPARE TRANSACTION 'mine'").await;
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("green-light: this transaction"),
            "{refused}"
        );
        drop(db);
        test.finish().await.unwrap_err();
        let next = begin(&engine).await;
        let db = next.connection();
        assert_eq!(
            number(&db, "SELECT count(*) FROM pg_prepared_xacts").await,
            0
        );
        assert_eq!(number(&db, "SELECT count(*) FROM u").await, 2);
        drop(db);
        finish(next).await;
    });
}
