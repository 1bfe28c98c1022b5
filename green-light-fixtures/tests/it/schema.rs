//! What a database holds before any test runs, and how its failures are told.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use green_light_fixtures::{Engine, Error, Schema};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Set, entity::prelude::*};
use sea_orm_migration::prelude::*;

use crate::support::{finish, number, run};

#[expect(unreachable_pub, reason = "what the derive expects")]
mod author {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "author")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

struct Step {
    name: &'static str,
    sql: &'static str,
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(self.sql)
            .await
            .map(drop)
    }
}

struct Good;

impl MigratorTrait for Good {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(Step {
                name: "m1_author",
                sql: "CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
            }),
            Box::new(Step {
                name: "m2_wal",
                sql: "PRAGMA journal_mode = WAL",
            }),
        ]
    }
}

struct Bad;

impl MigratorTrait for Bad {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Good::migrations();
        migrations.push(Box::new(Step {
            name: "m3_broken",
            sql: "CREATE TABEL x (y)",
        }));
        migrations.push(Box::new(Step {
            name: "m4_never",
            sql: "CREATE TABLE z (y)",
        }));
        migrations
    }
}

async fn failure(schema: Schema) -> Error {
    let error = Engine::builder().schema(schema).build().await.unwrap_err();
    assert!(error.is_schema(), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("\n  in the schema made at "), "{text}");
    assert!(text.contains("schema.rs:"), "{text}");
    error
}

async fn ann(db: &DatabaseConnection) -> Result<(), DbErr> {
    author::ActiveModel {
        name: Set("ann".to_owned()),
        ..Default::default()
    }
    .insert(db)
    .await
    .map(drop)
}

#[test]
fn migrations_and_a_seed_run_once_and_every_test_finds_them() {
    run(async {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let schema =
            Schema::migrations::<Good>()
                .seed(ann)
                .seed(async move |_: &DatabaseConnection| {
                    counted.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, DbErr>(())
                });
        let engine = Engine::builder().schema(schema).build().await.unwrap();
        for _ in 0..3 {
            let test = engine.transaction().await.unwrap();
            let db = test.connection();
            let ann = author::Entity::find().one(&db).await.unwrap().unwrap();
            assert_eq!(ann.name, "ann");
            assert_eq!(
                number(&db, "SELECT count(*) FROM seaql_migrations").await,
                2
            );
            ann.delete(&db).await.unwrap();
            drop(db);
            finish(test).await;
        }
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        assert_eq!(engine.stats().templates_built, 1);
        assert_eq!(engine.stats().slots_opened, 1);
    });
}

#[test]
fn tables_can_be_made_from_entities() {
    run(async {
        let schema = Schema::entities(|tables| tables.register(author::Entity)).seed(ann);
        let engine = Engine::builder().schema(schema).build().await.unwrap();
        let test = engine.transaction().await.unwrap();
        assert_eq!(
            author::Entity::find()
                .count(&test.connection())
                .await
                .unwrap(),
            1
        );
        finish(test).await;
    });
}

#[test]
fn an_empty_schema_gives_an_empty_database() {
    run(async {
        let engine = Engine::builder().build().await.unwrap();
        for _ in 0..2 {
            let test = engine.transaction().await.unwrap();
            let db = test.connection();
            assert_eq!(number(&db, "SELECT count(*) FROM sqlite_schema").await, 0);
            db.execute_unprepared("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
                .await
                .unwrap();
            assert_eq!(number(&db, "SELECT count(*) FROM t").await, 1);
            drop(db);
            finish(test).await;
        }
    });
}

#[test]
fn a_migration_that_fails_is_named() {
    run(async {
        let error = failure(Schema::migrations::<Bad>()).await;
        let text = error.to_string();
        assert!(
            text.starts_with("migration `m3_broken` of `it::schema::Bad` failed"),
            "{text}"
        );
        assert!(format!("{error:?}").contains("near \"TABEL\""), "{error:?}");
    });
}

#[test]
fn a_statement_that_fails_is_named_with_its_line() {
    run(async {
        let sql = "CREATE TABLE a (x);\n-- a comment; with a semicolon\nINSERT INTO\n  nowhere VALUES (1);\nSELECT 1";
        let error = failure(Schema::sql(sql)).await;
        let text = error.to_string();
        assert!(
            text.starts_with(
                "statement 2 of 3 of `Schema::sql`, on its line 3, failed: `INSERT INTO nowhere VALUES (1)`"
            ),
            "{text}"
        );
        assert!(
            format!("{error:?}").contains("no such table: nowhere"),
            "{error:?}"
        );
    });
}

#[test]
fn entities_and_seeds_that_fail_are_named() {
    run(async {
        let twice = Schema::sql("CREATE TABLE author (id INTEGER)")
            .seed(async |_: &DatabaseConnection| Err::<(), _>("no flour left"));
        let error = failure(twice).await;
        assert!(error.to_string().contains("the seed `"), "{error}");
        assert!(
            format!("{error:?}").ends_with("caused by: no flour left"),
            "{error:?}"
        );

        let clash = Schema::entities(|tables| tables.register(author::Entity)).seed(
            async |db: &DatabaseConnection| {
                db.execute_unprepared("CREATE TABLE author (x)")
                    .await
                    .map(drop)
            },
        );
        let error = failure(clash).await;
        assert!(format!("{error:?}").contains("already exists"), "{error:?}");
    });
}

#[test]
fn a_seed_that_panics_panics_with_its_own_message() {
    let panic = std::panic::catch_unwind(|| {
        run(async {
            let schema =
                Schema::empty().seed(async |_: &DatabaseConnection| -> Result<(), DbErr> {
                    panic!("oven on fire")
                });
            Engine::builder().schema(schema).build().await.map(drop)
        })
    });
    assert_eq!(
        panic.unwrap_err().downcast_ref::<&str>(),
        Some(&"oven on fire")
    );
}

#[test]
fn a_seed_that_leaves_a_transaction_open_fails_in_time() {
    run(async {
        let schema = Schema::sql("CREATE TABLE a (x)").seed(async |db: &DatabaseConnection| {
            std::mem::forget(sea_orm::TransactionTrait::begin(db).await?);
            Ok::<_, DbErr>(())
        });
        let engine = Engine::builder().connection_timeout(std::time::Duration::from_millis(200));
        let error = engine.schema(schema).build().await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("the template could not be read back"),
            "{error}"
        );
    });
}

#[test]
fn a_trigger_in_the_schema_works() {
    run(async {
        let schema = Schema::sql(
            "CREATE TABLE a (x); CREATE TABLE log (x);
             CREATE TRIGGER t AFTER INSERT ON a BEGIN
               INSERT INTO log VALUES (new.x); INSERT INTO log VALUES (new.x);
             END;
             INSERT INTO a VALUES (1)",
        );
        let engine = Engine::builder().schema(schema).build().await.unwrap();
        let test = engine.transaction().await.unwrap();
        assert_eq!(
            number(&test.connection(), "SELECT count(*) FROM log").await,
            2
        );
        finish(test).await;
    });
}
