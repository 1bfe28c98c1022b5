//! An error on a connection of sqlx that is kept through several statements, on PostgreSQL.
//!
//! Within a test it takes along what ran on that connection before, since all of it is under one savepoint.

use futures::TryStreamExt as _;
use green_light_fixtures::{Backend, Engine, Schema, Transaction};
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};

use crate::support::{begin, engine_of, engine_on, expect_clean, finish, insert, run};

const INSERT: &str = "INSERT INTO u (email) VALUES ($1)";

async fn add(connection: &mut PgConnection, email: &str) -> Result<(), sqlx::Error> {
    let insert = sqlx::query(INSERT).bind(email.to_owned());
    insert.execute(connection).await.map(drop)
}

async fn pool_of_a_test() -> (Engine, Transaction, PgPool) {
    let engine = engine_on(Backend::Postgres).await;
    let test = engine.transaction_for("shop::keeps").await.unwrap();
    let pool = test.connection().get_postgres_connection_pool().clone();
    (engine, test, pool)
}

async fn emails(pool: &PgPool) -> Vec<String> {
    let emails = sqlx::query_scalar("SELECT email FROM u WHERE email <> 'seed' ORDER BY id");
    emails.fetch_all(pool).await.unwrap()
}

/// What is said of a test if it fails.
async fn remarks(engine: &Engine, test: Transaction, pool: PgPool) -> Vec<String> {
    drop(pool);
    finish(test.clone()).await;
    expect_clean(engine).await;
    test.remarks()
}

/// The one remark there is, which begins so and names the cure.
#[track_caller]
fn expect_one(remarks: &[String], begin: &str) {
    let [remark] = remarks else {
        panic!("{remarks:?}");
    };
    assert!(
        remark.starts_with(begin) && remark.contains("isolation = database"),
        "{remark}"
    );
}

/// Of texts, some of which did not fail.
const TEXTS: &str =
    "a statement failed on a connection of sqlx that had run others before, sent as texts";
/// Of texts, of which it is not known whether there was more than the one that failed.
const PERHAPS: &str =
    "a statement failed on a connection of sqlx to which texts were sent: if others had run";

#[test]
fn an_error_on_a_connection_that_is_kept_does_not_take_rows_along_silently() {
    run(async {
        for wrong in ["seed", "a"] {
            let (engine, test, pool) = pool_of_a_test().await;
            let mut kept = pool.acquire().await.unwrap();
            add(&mut kept, "a").await.unwrap();
            add(&mut kept, wrong).await.unwrap_err();
            drop(kept);
            assert!(
                emails(&pool).await.is_empty(),
                "if it is there, nothing need be said"
            );
            let remarks = remarks(&engine, test, pool).await;
            let ran = "a statement failed on a connection of sqlx that had run `INSERT INTO u (email) VALUES ($1)` before";
            expect_one(&remarks, ran);
        }
    });
}

#[test]
fn any_statement_that_fails_after_rows_were_written_is_reported() {
    run(async {
        let (engine, test, pool) = pool_of_a_test().await;
        // Another use has prepared the statement.
        sqlx::query(INSERT)
            .bind("first")
            .execute(&pool)
            .await
            .unwrap();
        let mut kept = pool.acquire().await.unwrap();
        let mut tx = kept.begin().await.unwrap();
        add(&mut tx, "b").await.unwrap();
        tx.commit().await.unwrap();
        sqlx::query("INSERT INTO u (email) VALUES ('c')")
            .execute(&mut *kept)
            .await
            .unwrap();
        let failed = sqlx::query("SELECT 1 / (id - id) FROM u").execute(&mut *kept);
        failed.await.unwrap_err();
        drop(kept);
        assert_eq!(emails(&pool).await, ["first"]);
        let remarks = remarks(&engine, test, pool).await;
        let ran = "a statement failed on a connection of sqlx that had run `INSERT INTO u (email) VALUES ('c')` before";
        expect_one(&remarks, ran);
    });
}

#[test]
fn an_error_that_takes_nothing_along_is_not_reported() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        for _ in 0..2 {
            // The one text of a test.
            let test = engine.transaction().await.unwrap();
            let pool = test.connection().get_postgres_connection_pool().clone();
            let alone = pool.execute("INSERT INTO u (email) VALUES (NULL)");
            alone.await.unwrap_err();
            assert_eq!(remarks(&engine, test, pool).await, [""; 0]);
            let test = begin(&engine).await;
            let pool = test.connection().get_postgres_connection_pool().clone();
            // The one statement of a use, prepared or not.
            for _ in 0..3 {
                let alone = sqlx::query(INSERT).bind("seed").execute(&pool);
                alone.await.unwrap_err();
                let alone = pool.execute("INSERT INTO u (email) VALUES ('x'), ('seed')");
                alone.await.unwrap_err();
                insert(&test.connection(), "seed").await.unwrap_err();
            }
            // Statements that only read before it, and some that find nothing.
            let mut kept = pool.acquire().await.unwrap();
            for sql in [
                "SELECT count(*) FROM u",
                "DELETE FROM u WHERE email = 'nobody'",
            ] {
                sqlx::query(sql).execute(&mut *kept).await.unwrap();
            }
            add(&mut kept, "seed").await.unwrap_err();
            drop(kept);
            // An error within a transaction, which is rolled back.
            let mut kept = pool.acquire().await.unwrap();
            let mut tx = kept.begin().await.unwrap();
            add(&mut tx, "a").await.unwrap();
            add(&mut tx, "a").await.unwrap_err();
            tx.rollback().await.unwrap();
            add(&mut kept, "kept").await.unwrap();
            drop(kept);
            assert_eq!(emails(&pool).await, ["before", "kept"]);
            // SeaORM has run the statement in between.
            insert(&test.connection(), "of SeaORM").await.unwrap();
            let alone = sqlx::query(INSERT).bind("seed").execute(&pool);
            alone.await.unwrap_err();
            drop(pool);
            finish(test).await;
        }
        expect_clean(&engine).await;
    });
}

/// It cannot be known whether a deletion found rows, so it is said only below a test that fails.
#[test]
fn what_an_error_may_have_taken_along_is_a_remark() {
    run(async {
        let (engine, test, pool) = pool_of_a_test().await;
        let mut kept = pool.acquire().await.unwrap();
        let delete = "DELETE FROM u WHERE email = 'seed'";
        sqlx::query(delete).execute(&mut *kept).await.unwrap();
        let failed = sqlx::query("SELECT 1 / (id - id) FROM (VALUES (1)) v (id)");
        failed.execute(&mut *kept).await.unwrap_err();
        drop((kept, pool));
        finish(test.clone()).await;
        let remarks = test.remarks();
        assert!(
            remarks.len() == 1
                && remarks[0].contains(&format!("had run `{delete}` before"))
                && remarks[0].contains("isolation = database"),
            "{remarks:?}"
        );
        expect_clean(&engine).await;
    });
}

/// What ran before a transaction that the application has rolled back stays, as in production.
#[test]
fn an_error_after_a_transaction_was_rolled_back_leaves_what_ran_before_it() {
    run(async {
        let (engine, test, pool) = pool_of_a_test().await;
        let mut kept = pool.acquire().await.unwrap();
        add(&mut kept, "before").await.unwrap();
        let mut tx = kept.begin().await.unwrap();
        add(&mut tx, "rolled back").await.unwrap();
        tx.rollback().await.unwrap();
        add(&mut kept, "seed").await.unwrap_err();
        drop(kept);
        assert_eq!(emails(&pool).await, ["before"]);
        drop(pool);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

/// The ways to send a text.
#[derive(Clone, Copy, Debug)]
enum Send {
    Str,
    Raw,
    Many,
}

async fn send(
    connection: &mut PgConnection,
    way: Send,
    sql: &'static str,
) -> Result<(), sqlx::Error> {
    match way {
        Send::Str => connection.execute(sql).await.map(drop),
        Send::Raw => sqlx::raw_sql(sql).execute(connection).await.map(drop),
        Send::Many => {
            let mut all = connection.execute_many(sql);
            while all.try_next().await?.is_some() {}
            Ok(())
        }
    }
}

/// What was sent unprepared is not known, but how many commands of the transaction may have written is.
#[test]
fn texts_that_an_error_takes_along_are_a_remark() {
    run(async {
        for way in [Send::Str, Send::Raw, Send::Many] {
            let (engine, test, pool) = pool_of_a_test().await;
            let mut kept = pool.acquire().await.unwrap();
            for sql in [
                "INSERT INTO u (email) VALUES ('a')",
                "UPDATE u SET email = 'b' WHERE email = 'a'",
            ] {
                send(&mut kept, way, sql).await.unwrap();
            }
            send(&mut kept, way, "SELECT 1 / 0").await.unwrap_err();
            drop(kept);
            assert!(emails(&pool).await.is_empty(), "{way:?}");
            expect_one(&remarks(&engine, test, pool).await, TEXTS);
        }
        // A text, and a prepared statement that fails.
        let (engine, test, pool) = pool_of_a_test().await;
        let mut kept = pool.acquire().await.unwrap();
        for sql in [
            "INSERT INTO u (email) VALUES ('a')",
            "INSERT INTO u (email) VALUES ('b')",
        ] {
            kept.execute(sql).await.unwrap();
        }
        add(&mut kept, "seed").await.unwrap_err();
        drop(kept);
        expect_one(&remarks(&engine, test, pool).await, TEXTS);
        // A statement that SeaORM reports ran before, and how many commands that was is not known.
        let (engine, test, pool) = pool_of_a_test().await;
        insert(&test.connection(), "of SeaORM").await.unwrap();
        let mut kept = pool.acquire().await.unwrap();
        kept.execute("INSERT INTO u (email) VALUES ('a')")
            .await
            .unwrap();
        kept.execute("INSERT INTO u (email) VALUES ('seed')")
            .await
            .unwrap_err();
        drop(kept);
        assert_eq!(emails(&pool).await, ["of SeaORM"]);
        expect_one(&remarks(&engine, test, pool).await, PERHAPS);
    });
}

/// It cannot be known that the application itself has rolled back what it wrote, so no test fails by it.
#[test]
fn an_error_after_the_application_has_rolled_back_what_it_wrote_fails_no_test() {
    run(async {
        let (engine, test, pool) = pool_of_a_test().await;
        let mut kept = pool.acquire().await.unwrap();
        let mut tx = kept.begin().await.unwrap();
        let mut nested = tx.begin().await.unwrap();
        add(&mut nested, "a").await.unwrap();
        add(&mut nested, "b").await.unwrap();
        nested.rollback().await.unwrap();
        tx.commit().await.unwrap();
        add(&mut kept, "seed").await.unwrap_err();
        drop(kept);
        assert!(emails(&pool).await.is_empty());
        remarks(&engine, test, pool).await;
        // Savepoints as texts.
        let (engine, test, pool) = pool_of_a_test().await;
        let mut kept = pool.acquire().await.unwrap();
        kept.execute("SAVEPOINT of_the_application").await.unwrap();
        add(&mut kept, "a").await.unwrap();
        add(&mut kept, "a").await.unwrap_err();
        kept.execute("ROLLBACK TO SAVEPOINT of_the_application")
            .await
            .unwrap();
        add(&mut kept, "b").await.unwrap();
        kept.execute("ROLLBACK TO SAVEPOINT of_the_application")
            .await
            .unwrap();
        kept.execute("RELEASE SAVEPOINT of_the_application")
            .await
            .unwrap();
        add(&mut kept, "seed").await.unwrap_err();
        drop(kept);
        assert!(emails(&pool).await.is_empty());
        remarks(&engine, test, pool).await;
    });
}

/// An `INSERT` whose row a trigger has kept out has written nothing.
#[test]
fn a_row_that_a_trigger_keeps_out_is_not_lost() {
    run(async {
        let sql = "CREATE TABLE u (id bigserial PRIMARY KEY, email text);
            CREATE TABLE v (id bigint PRIMARY KEY);
            CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
            CREATE TRIGGER swallow BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION swallow()";
        let engine = engine_of(Backend::Postgres, Schema::sql(sql)).await;
        let test = engine.transaction_for("shop::keeps").await.unwrap();
        let pool = test.connection().get_postgres_connection_pool().clone();
        let mut kept = pool.acquire().await.unwrap();
        for email in ["a", "b"] {
            add(&mut kept, email).await.unwrap();
        }
        let failed = sqlx::query("SELECT 1 / (n - n) FROM generate_series(1, 2) n");
        failed.execute(&mut *kept).await.unwrap_err();
        drop((kept, pool));
        finish(test.clone()).await;
        assert_eq!(test.remarks(), [""; 0]);
    });
}
