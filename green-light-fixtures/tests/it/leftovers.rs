//! What a rollback does not cover, and how the next test is kept from it.

use green_light_fixtures::{Engine, Transaction};
use sea_orm::ConnectionTrait;

use crate::support::{count, engine, expect_clean, finish, insert, number, run};

async fn begin(engine: &Engine) -> Transaction {
    let test = engine.transaction_for("shop::guilty").await.unwrap();
    insert(&test.connection(), "before").await.unwrap();
    test
}

#[test]
fn ddl_is_rolled_back_and_cached_statements_of_it_do_not_survive() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = &test.connection();
        db.execute_unprepared("ALTER TABLE u ADD COLUMN age INTEGER; CREATE TABLE x (y)")
            .await
            .unwrap();
        let all = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, "SELECT * FROM u");
        assert_eq!(
            db.query_all_raw(all.clone()).await.unwrap()[0]
                .column_names()
                .len(),
            3
        );
        finish(test).await;
        let next = engine.transaction_for("next").await.unwrap();
        let rows = next.connection().query_all_raw(all).await.unwrap();
        assert_eq!(rows[0].column_names(), ["id", "email"]);
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'x'";
        assert_eq!(number(&next.connection(), tables).await, 0);
        finish(next).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn what_a_rollback_does_not_undo_does_not_reach_the_next_test() {
    run(async {
        let engine = engine().await;
        for (change, look, fresh) in [
            ("PRAGMA query_only = ON", "PRAGMA query_only", 0),
            (
                "PRAGMA ignore_check_constraints = ON",
                "PRAGMA ignore_check_constraints",
                0,
            ),
            (
                "PRAGMA recursive_triggers = ON",
                "PRAGMA recursive_triggers",
                0,
            ),
            ("PRAGMA case_sensitive_like = ON", "SELECT 'a' LIKE 'A'", 1),
            (
                "ATTACH ':memory:' AS other",
                "SELECT count(*) FROM pragma_database_list WHERE name = 'other'",
                0,
            ),
            (
                "CREATE TEMP TABLE t (x)",
                "SELECT count(*) FROM sqlite_temp_schema",
                0,
            ),
            ("PRAGMA user_version = 7", "PRAGMA user_version", 0),
            (
                "PRAGMA defer_foreign_keys = ON",
                "PRAGMA defer_foreign_keys",
                0,
            ),
        ] {
            let test = begin(&engine).await;
            test.connection().execute_unprepared(change).await.unwrap();
            finish(test).await;
            let next = engine.transaction_for("next").await.unwrap();
            assert_eq!(number(&next.connection(), look).await, fresh, "{change}");
            finish(next).await;
            expect_clean(&engine).await;
        }
    });
}

#[test]
fn pragmas_that_need_no_transaction_do_nothing_or_say_so() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = &test.connection();
        db.execute_unprepared("PRAGMA foreign_keys = OFF")
            .await
            .unwrap();
        assert_eq!(number(db, "PRAGMA foreign_keys").await, 1);
        db.execute_unprepared("PRAGMA journal_mode = WAL")
            .await
            .unwrap();
        db.execute_unprepared("VACUUM").await.unwrap_err();
        assert_eq!(count(db).await, 2);
        finish(test).await;
        expect_clean(&engine).await;
    });
}
