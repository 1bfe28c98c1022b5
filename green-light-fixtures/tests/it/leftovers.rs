//! What a rollback does not cover, and how the next test is kept from it.

use sea_orm::ConnectionTrait;

use crate::support::{begin, count, engine, expect_clean, finish, number, run};

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
