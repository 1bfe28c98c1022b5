//! Roles that a schema makes: they belong to the server, and outlive its template.

use std::borrow::Cow;

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::prelude::{
    MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait,
};
use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::{
    checkout::Checkout,
    children::{part, said, say, value},
    support::{engine_of, engine_on, number, run, text},
};

/// What the role may read, and whether it may log in.
async fn expect_role(schema: Schema, may_log_in: i64) {
    let engine = engine_of(Backend::Postgres, schema).await;
    for isolation in [Isolation::Transaction, Isolation::Database] {
        let session = engine.session(isolation).await.unwrap();
        let login =
            "SELECT rolcanlogin::int::bigint FROM pg_roles WHERE rolname = 'green_light_it_app'";
        assert_eq!(number(&*session, login).await, may_log_in);
        let mut one = session.postgres_pool().acquire().await.unwrap();
        let as_role = "SET ROLE green_light_it_app";
        sqlx::raw_sql(as_role).execute(&mut *one).await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM app")
            .fetch_one(&mut *one)
            .await
            .unwrap();
        assert_eq!(rows, 1);
        drop(one);
        session.finish().await.unwrap();
    }
}

#[test]
fn a_schema_that_makes_a_role_runs_again_with_another_line_and_beside_another_schema() {
    run(async {
        let rest = "CREATE TABLE app AS SELECT 1 AS x; GRANT SELECT ON app TO green_light_it_app";
        // Each is another template, and the role is there from the last run of the tests.
        let schema = |options: &str, number: u32| {
            let make = format!("CREATE ROLE green_light_it_app {options}");
            Schema::sql(format!(
                "{make};\n{rest}; -- {number} of {}",
                std::process::id()
            ))
        };
        expect_role(schema("", 1), 0).await;
        expect_role(schema("WITH LOGIN IN ROLE pg_monitor", 2), 1).await;
        expect_role(schema("ROLE CURRENT_USER", 3), 0).await;
        let text = "CREATE USER green_light_it_app;
            CREATE TABLE app AS SELECT 1 AS x;
            GRANT SELECT ON app TO green_light_it_app;";
        let migration = Migration::new(
            1,
            Cow::Borrowed("app"),
            MigrationType::Simple,
            text.into_sql_str(),
            false,
        );
        let migrator = Migrator {
            migrations: Cow::Owned(vec![migration]),
            ..Migrator::DEFAULT
        };
        let again = format!("SELECT 'again in {}'", std::process::id());
        expect_role(Schema::sqlx(migrator).then(Schema::sql(again)), 1).await;
    });
}

#[test]
fn a_role_that_no_schema_has_made_is_left_alone_and_told() {
    run(async {
        let make = "DO $$ BEGIN CREATE ROLE green_light_it_foreign; EXCEPTION WHEN duplicate_object THEN NULL; END $$";
        let engine = engine_on(Backend::Postgres).await;
        let session = engine.session(Isolation::Database).await.unwrap();
        session.execute_unprepared(make).await.unwrap();
        let refused = Engine::builder()
            .backend(Backend::Postgres)
            .schema(Schema::sql("CREATE ROLE green_light_it_foreign LOGIN"))
            .build()
            .await
            .unwrap_err();
        let refused = format!("{refused:?} {refused}");
        assert!(
            refused.contains("no schema has made it") && refused.contains("already exists"),
            "{refused}"
        );
        let login = "SELECT rolcanlogin::int::bigint FROM pg_roles WHERE rolname = 'green_light_it_foreign'";
        assert_eq!(number(&*session, login).await, 0);
        session
            .execute_unprepared("DROP ROLE green_light_it_foreign")
            .await
            .unwrap();
        session.finish().await.unwrap();
    });
}

/// Another one in each process, so that its template is built again.
struct MakesRole(String);

impl MigrationName for MakesRole {
    fn name(&self) -> &str {
        &self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for MakesRole {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for sql in [
            "CREATE ROLE of_a_migration",
            "DROP ROLE IF EXISTS dropped_by_a_migration",
            "CREATE ROLE dropped_by_a_migration IN ROLE of_a_migration",
            "CREATE TABLE app AS SELECT 1 AS x",
            "GRANT SELECT ON app TO of_a_migration",
        ] {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }
}

struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(MakesRole(format!("m_{}", part().unwrap())))]
    }
}

#[test]
fn a_schema_that_makes_roles_in_any_way_is_built_again_when_it_has_changed() {
    let test = "roles::a_schema_that_makes_roles_in_any_way_is_built_again_when_it_has_changed";
    if let Some(part) = part() {
        return run(async {
            let table = "CREATE TABLE app AS SELECT 1 AS x";
            let in_sql = format!(
                "{table}; DROP ROLE IF EXISTS of_a_drop, no_such_role; CREATE USER of_a_drop;
                 CREATE GROUP of_a_group USER of_a_drop; GRANT SELECT ON app TO of_a_group;
                 ALTER DEFAULT PRIVILEGES FOR ROLE of_a_drop GRANT SELECT ON TABLES TO of_a_group;
                 ALTER TABLE app OWNER TO of_a_drop; SELECT '{part}'"
            );
            let in_a_block = format!(
                "{table}; DO $$ BEGIN CREATE ROLE of_a_block; END $$; GRANT SELECT ON app TO of_a_block; SELECT '{part}'"
            );
            for (schema, role) in [
                (Schema::sql(in_sql), "of_a_drop"),
                (Schema::sql(in_a_block), "of_a_block"),
                (Schema::migrations::<Migrations>(), "dropped_by_a_migration"),
            ] {
                let engine = engine_of(Backend::Postgres, schema).await;
                assert_eq!(engine.stats().templates_built, 1);
                for isolation in [Isolation::Database, Isolation::Transaction] {
                    let session = engine.session(isolation).await.unwrap();
                    let as_role = format!("SET ROLE {role}");
                    let mut one = session.postgres_pool().acquire().await.unwrap();
                    sqlx::raw_sql(sqlx::AssertSqlSafe(as_role))
                        .execute(&mut *one)
                        .await
                        .unwrap();
                    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM app")
                        .fetch_one(&mut *one)
                        .await
                        .unwrap();
                    assert_eq!(rows, 1, "{role}");
                    drop(one);
                    session.finish().await.unwrap();
                }
                // What a test says of the role does not make it another one.
                let session = engine.session(Isolation::Database).await.unwrap();
                let comment = format!("COMMENT ON ROLE {role} IS 'mine'");
                session.execute_unprepared(&comment).await.unwrap();
                say("data", &text(&*session, "SHOW data_directory").await);
                session.finish().await.unwrap();
            }
        });
    }
    let checkout = Checkout::new();
    for part in ["1", "2"] {
        said(checkout.playing(test, part).spawn().unwrap());
    }
    let last = said(checkout.playing(test, "3").spawn().unwrap());
    checkout.end(value(&last, "data").as_ref());
}
