//! Deferred foreign keys are checked at the end, as a commit in production would.

use green_light_fixtures::{Engine, Schema};
use sea_orm::ConnectionTrait;

use crate::support::{finish, number, run};

const TABLES: &str = "
    CREATE TABLE author (id INTEGER PRIMARY KEY);
    CREATE TABLE book (id INTEGER PRIMARY KEY,
        author INTEGER REFERENCES author (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE strict (author INTEGER REFERENCES author (id))";

async fn engine() -> Engine {
    Engine::builder()
        .schema(Schema::sql(TABLES))
        .build()
        .await
        .unwrap()
}

async fn expect_empty(engine: &Engine) {
    let next = engine.transaction_for("next").await.unwrap();
    assert_eq!(
        number(&next.connection(), "SELECT count(*) FROM book").await,
        0
    );
    finish(next).await;
}

#[test]
fn a_row_that_refers_to_nothing_fails_the_end_of_the_test() {
    run(async {
        let engine = engine().await;
        let test = engine.transaction_for("shop::orphans").await.unwrap();
        test.connection()
            .execute_unprepared("INSERT INTO book VALUES (3, 7)")
            .await
            .unwrap();
        let error = test.finish().await.unwrap_err();
        assert!(error.is_constraint(), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains("test `shop::orphans` ended with rows that no commit would accept"),
            "{text}"
        );
        assert!(
            text.contains("`book` row 3 refers to a row of `author` that does not exist"),
            "{text}"
        );
        expect_empty(&engine).await;
    });
}

#[test]
fn a_row_that_is_completed_later_is_fine() {
    run(async {
        let engine = engine().await;
        let test = engine.transaction().await.unwrap();
        let sql = "INSERT INTO book VALUES (3, 7); INSERT INTO author VALUES (7)";
        test.connection().execute_unprepared(sql).await.unwrap();
        finish(test).await;
        expect_empty(&engine).await;
        assert_eq!(engine.stats().slots_opened, 1);
    });
}

#[test]
fn keys_deferred_by_a_pragma_are_checked_and_immediate_ones_fail_at_once() {
    run(async {
        let engine = engine().await;
        let test = engine.transaction().await.unwrap();
        let db = test.connection();
        db.execute_unprepared("INSERT INTO strict VALUES (7)")
            .await
            .unwrap_err();
        db.execute_unprepared("PRAGMA defer_foreign_keys = ON; INSERT INTO strict VALUES (7)")
            .await
            .unwrap();
        drop(db);
        assert!(test.finish().await.unwrap_err().is_constraint());
        expect_empty(&engine).await;
    });
}

#[test]
fn without_foreign_keys_nothing_is_checked_as_in_production() {
    run(async {
        let engine = Engine::builder()
            .schema(Schema::sql(TABLES))
            .map_sqlite_options(|options| options.foreign_keys(false))
            .build()
            .await
            .unwrap();
        let test = engine.transaction().await.unwrap();
        test.connection()
            .execute_unprepared("INSERT INTO book VALUES (3, 7)")
            .await
            .unwrap();
        finish(test).await;
        expect_empty(&engine).await;
    });
}
