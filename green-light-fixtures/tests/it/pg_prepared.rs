//! Statements that sqlx has prepared on a kept connection, and tests that change what they are about.

use green_light_fixtures::{Backend, Engine, Transaction};
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};

use crate::support::{engine_on, finish, insert, run};

async fn engine() -> Engine {
    engine_on(Backend::Postgres).await
}

async fn begin(engine: &Engine) -> (Transaction, DatabaseConnection) {
    let test = engine.transaction().await.unwrap();
    let db = test.connection();
    insert(&db, "before").await.unwrap();
    (test, db)
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
        let (test, db) = begin(&engine).await;
        let tx = db.begin().await.unwrap();
        tx.execute_unprepared("ALTER TABLE u ADD COLUMN age int")
            .await
            .unwrap();
        assert_eq!(columns(&tx).await, 3);
        tx.rollback().await.unwrap();
        drop(db);
        finish(test).await;
        let (next, db) = begin(&engine).await;
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
            let (test, db) = begin(&engine).await;
            assert_eq!(columns(&db).await, 2);
            drop(db);
            finish(test).await;
            let (test, db) = begin(&engine).await;
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
