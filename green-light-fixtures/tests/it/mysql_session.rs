//! What a test leaves in its session of MySQL or MariaDB, where no rollback takes it away: variables,
//! locks, settings, temporary tables.

use green_light_fixtures::{Backend, Engine, Schema, Transaction};
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use sqlx::Executor as _;

use crate::support::{
    begin, engine_of, engine_on, expect_clean, finish, insert, number, run, send_text,
};

async fn engine() -> Engine {
    engine_on(Backend::MySql).await
}

async fn session_of(test: &Transaction) -> i64 {
    let sql = "SELECT CAST(connection_id() AS SIGNED)";
    number(&test.connection(), sql).await
}

/// Checks that the next test does not find by `look` what was left by `change`.
async fn expect_gone(engine: &Engine, look: &str, change: &str) {
    let next = engine.transaction_for("next").await.unwrap();
    assert_eq!(number(&next.connection(), look).await, 0, "{change}");
    finish(next).await;
}

/// The usual table, and a trigger or a function.
fn schema_with(program: &str) -> Schema {
    Schema::sql(format!(
        "CREATE TABLE u (id BIGINT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(190) NOT NULL UNIQUE);
         INSERT INTO u (email) VALUES ('seed'); {program}"
    ))
}

fn statement(sql: &str) -> Statement {
    Statement::from_string(DbBackend::MySql, sql)
}

/// What a test may leave in its session, and the query that finds it. A lock has the name of the database:
/// tests that run at the same time have others.
const LEFTOVERS: [(&str, &str); 5] = [
    ("SET @a = 7", "SELECT coalesce(@a, 0) = 7"),
    ("SELECT 7 INTO @a", "SELECT coalesce(@a, 0) = 7"),
    (
        "DO GET_LOCK(left(database(), 60), 0)",
        "SELECT coalesce(IS_USED_LOCK(left(database(), 60)) = CONNECTION_ID(), 0)",
    ),
    (
        "SET group_concat_max_len = 17",
        "SELECT @@group_concat_max_len = 17",
    ),
    (
        "CREATE TEMPORARY TABLE u AS SELECT 1 AS email UNION SELECT 2",
        "SELECT count(*) = 2 FROM u",
    ),
];

/// SeaORM does not report a text that is sent in a transaction, beside statements that it reports.
#[test]
fn what_a_text_in_a_transaction_leaves_does_not_reach_the_next_test() {
    run(async {
        let engine = engine().await;
        for (change, look) in LEFTOVERS {
            for commits in [true, false] {
                let test = begin(&engine).await;
                let db = test.connection();
                let tx = db.begin().await.unwrap();
                insert(&tx, "seen").await.unwrap();
                tx.execute_unprepared(change).await.unwrap();
                assert_eq!(number(&tx, look).await, 1, "{change}");
                if commits {
                    tx.commit().await.unwrap();
                } else {
                    tx.rollback().await.unwrap();
                }
                drop(db);
                finish(test).await;
                expect_gone(&engine, look, change).await;
                expect_clean(&engine).await;
            }
        }
    });
}

#[test]
fn what_a_trigger_or_a_function_leaves_does_not_reach_the_next_test() {
    run(async {
        for (program, change, look) in [
            (
                "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET @a = 7",
                "INSERT INTO u (email) VALUES ('a')",
                "SELECT coalesce(@a, 0) = 7",
            ),
            (
                "CREATE FUNCTION f() RETURNS int RETURN get_lock(left(database(), 60), 0)",
                "SELECT f()",
                "SELECT coalesce(IS_USED_LOCK(left(database(), 60)) = CONNECTION_ID(), 0)",
            ),
        ] {
            expect_new_session_after(program, change, look).await;
        }
    });
}

#[test]
fn a_trigger_that_leaves_nothing_costs_no_test_its_session() {
    run(async {
        let program = "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW \
            SET NEW.email = if(NEW.email LIKE '%@%', NEW.email, 'temporary')";
        let schema = schema_with(program);
        let engine = engine_of(Backend::MySql, schema).await;
        let mut sessions = Vec::new();
        for _ in 0..3 {
            let test = begin(&engine).await;
            sessions.push(session_of(&test).await);
            finish(test).await;
        }
        sessions.dedup();
        assert_eq!(sessions.len(), 1);
    });
}

/// Looking for such texts costs no test its database.
#[test]
fn a_session_in_which_transactions_and_texts_ran_goes_to_the_next_test() {
    run(async {
        let engine = engine().await;
        let mut sessions = Vec::new();
        for round in 0..12 {
            let test = begin(&engine).await;
            let session = test.session();
            if round % 2 == 0 {
                let texts = "DELETE FROM u WHERE email = 'a;b'; UPDATE u SET email = 'c' LIMIT 1; ";
                session.execute_unprepared(texts).await.unwrap();
                session.execute_unprepared("SELECT FROM").await.unwrap_err();
            }
            if round % 3 > 0 {
                let tx = session.begin().await.unwrap();
                insert(&tx, "one").await.unwrap();
                let inner = tx.begin().await.unwrap();
                insert(&inner, "two").await.unwrap();
                inner.rollback().await.unwrap();
                insert(&tx, "one").await.unwrap_err();
                tx.commit().await.unwrap();
                insert(&session.begin().await.unwrap(), "dropped")
                    .await
                    .unwrap();
            }
            if round % 4 == 0 {
                let mark = test.savepoint().await.unwrap();
                insert(&session, "three").await.unwrap();
                mark.rollback().await.unwrap();
            }
            drop(session);
            sessions.push(session_of(&test).await);
            finish(test).await;
        }
        sessions.dedup();
        assert_eq!(sessions.len(), 1, "sessions were thrown away");
    });
}

/// Statements by a pool of sqlx are not reported.
#[test]
fn what_a_pool_leaves_does_not_reach_the_next_test() {
    run(async {
        let engine = engine().await;
        for (change, look) in LEFTOVERS {
            for begins in [true, false] {
                let test = begin(&engine).await;
                let pool = test.session().mysql_pool().clone();
                if begins {
                    let mut begun = pool.begin().await.unwrap();
                    begun.execute(change).await.unwrap();
                    begun.commit().await.unwrap();
                } else {
                    sqlx::raw_sql(change).execute(&pool).await.unwrap();
                }
                drop(pool);
                assert_eq!(number(&test.connection(), look).await, 1, "{change}");
                finish(test).await;
                expect_gone(&engine, look, change).await;
                expect_clean(&engine).await;
            }
        }
    });
}

/// A pool was given, and it is SeaORM that sends a text in a transaction, which nobody reports.
#[test]
fn what_is_in_doubt_is_known_before_the_session_goes_to_another_pool() {
    run(async {
        let engine = engine().await;
        for _ in 0..3 {
            let test = begin(&engine).await;
            let pool = test.session().mysql_pool().clone();
            let db = test.connection();
            let tx = db.begin().await.unwrap();
            insert(&tx, "seen").await.unwrap();
            tx.execute_unprepared("SET @a = 7").await.unwrap();
            tx.commit().await.unwrap();
            drop((db, pool));
            finish(test).await;
            // The session of this one is not replaced while it runs.
            let next = begin(&engine).await;
            insert(&next.connection(), "next").await.unwrap();
            let look = "SELECT coalesce(@a, 0) = 7";
            assert_eq!(number(&next.connection(), look).await, 0);
            finish(next).await;
        }
        expect_clean(&engine).await;
    });
}

/// A test that does `change` in a schema with `program` leaves what `look` sees, and the next test does not see it.
async fn expect_new_session_after(program: &str, change: &str, look: &str) {
    let engine = engine_of(Backend::MySql, schema_with(program)).await;
    let test = engine.transaction_for("shop::first").await.unwrap();
    let db = test.connection();
    db.execute_raw(statement(change)).await.unwrap();
    assert_eq!(number(&db, look).await, 1, "{program}");
    drop(db);
    finish(test).await;
    expect_gone(&engine, look, program).await;
}

/// What may be left by a program, beside what its text says at first sight.
#[test]
fn a_program_that_is_not_known_to_leave_nothing_costs_a_test_its_session() {
    run(async {
        for (program, change, look) in [
            (
                "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET group_concat_max_len = 17",
                "INSERT INTO u (email) VALUES ('a')",
                "SELECT @@group_concat_max_len = 17",
            ),
            (
                "CREATE VIEW w AS SELECT get_lock(left(database(), 60), 0) AS a",
                "SELECT * FROM w",
                "SELECT coalesce(IS_USED_LOCK(left(database(), 60)) = CONNECTION_ID(), 0)",
            ),
        ] {
            expect_new_session_after(program, change, look).await;
        }
    });
}

#[test]
fn the_last_id_of_a_test_does_not_reach_the_next_one() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let session = session_of(&test).await;
        let last = "SELECT CAST(last_insert_id() AS SIGNED)";
        assert_ne!(number(&test.connection(), last).await, 0);
        finish(test).await;
        let next = engine.transaction_for("next").await.unwrap();
        assert_eq!(session_of(&next).await, session, "the session is the same");
        assert_eq!(number(&next.connection(), last).await, 0);
        finish(next).await;
    });
}

/// Of a table with few ids, and of one with many.
#[test]
fn an_id_at_the_end_of_its_type_does_not_stop_the_inserts_of_the_next_test() {
    run(async {
        let schema = Schema::sql(
            "CREATE TABLE u (id INT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(190) NOT NULL UNIQUE);
             INSERT INTO u (email) VALUES ('seed');
             CREATE TABLE few (id TINYINT AUTO_INCREMENT PRIMARY KEY, a int)",
        );
        let engine = engine_of(Backend::MySql, schema).await;
        for (way, change) in [
            (0, "INSERT INTO u (id, email) VALUES (2147483647, 'last')"),
            (1, "INSERT INTO u VALUES (2147483647, 'last')"),
            (2, "UPDATE u SET id = 2147483647"),
            (
                0,
                "SET insert_id = 2147483647; INSERT INTO u (email) VALUES ('last')",
            ),
        ] {
            let test = engine.transaction_for("shop::last").await.unwrap();
            let db = test.connection();
            send_text(&db, way, change).await;
            insert(&db, "one more").await.unwrap_err();
            drop(db);
            finish(test).await;
            let next = engine.transaction_for("next").await.unwrap();
            insert(&next.connection(), "one more").await.unwrap();
            finish(next).await;
        }
        // Each test alone needs few of them.
        for _ in 0..8 {
            let test = engine.transaction_for("shop::few").await.unwrap();
            for _ in 0..40 {
                let sql = "INSERT INTO few (a) VALUES (1)";
                test.connection().execute_raw(statement(sql)).await.unwrap();
            }
            finish(test).await;
        }
    });
}

#[test]
fn a_sequence_starts_anew_in_the_next_test() {
    run(async {
        let look = "SELECT nextval(s)";
        let test = begin(&engine().await).await;
        let is_mariadb = "SELECT version() LIKE '%MariaDB%'";
        let has_sequences = number(&test.connection(), is_mariadb).await == 1;
        finish(test).await;
        if !has_sequences {
            return;
        }
        let schema = schema_with("CREATE SEQUENCE s MAXVALUE 1000");
        let engine = engine_of(Backend::MySql, schema).await;
        for change in ["SELECT setval(s, 1000)", "SELECT nextval(s)"] {
            let test = engine.transaction_for("shop::last").await.unwrap();
            number(&test.connection(), change).await;
            finish(test).await;
            let next = engine.transaction_for("next").await.unwrap();
            assert_eq!(number(&next.connection(), look).await, 1, "{change}");
            finish(next).await;
        }
    });
}
