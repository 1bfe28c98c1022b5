//! An error on a connection of sqlx that is kept through several statements, on PostgreSQL.
//!
//! Within a test it takes along what ran on that connection before, since all of it is under one savepoint.

use green_light_fixtures::{Backend, Engine, Transaction};
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};

use crate::support::{begin, engine_on, expect_clean, finish, insert, run};

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

/// What is said of a test at its end.
async fn told(engine: &Engine, test: Transaction, pool: PgPool) -> String {
    drop(pool);
    let error = test.finish().await.unwrap_err();
    assert!(error.is_breach(), "{error:?}");
    expect_clean(engine).await;
    error.to_string()
}

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
            let told = told(&engine, test, pool).await;
            assert!(
                told.contains(
                    "test `shop::keeps` lost rows: a statement failed on a connection of sqlx"
                ) && told.contains("lost: `INSERT INTO u (email) VALUES ($1)`")
                    && told.contains("isolation = database"),
                "{told}"
            );
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
        let told = told(&engine, test, pool).await;
        assert!(
            told.contains("lost: `INSERT INTO u (email) VALUES ('c')`"),
            "{told}"
        );
    });
}

#[test]
fn an_error_that_takes_nothing_along_is_not_reported() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        for _ in 0..2 {
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
