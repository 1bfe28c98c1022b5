//! Database and shared isolation on MySQL and MariaDB: copies of a template, and what they keep.

use std::time::Duration;

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait};
use sqlx::MySqlPool;

use crate::support::{TEARDOWN_TIMEOUT, administrator, outside, run, server_of};

/// Everything that a copy by `CREATE TABLE .. LIKE` would lose.
async fn rich(db: &DatabaseConnection) -> Result<(), DbErr> {
    for sql in [
        "ALTER DATABASE CHARACTER SET latin1 COLLATE latin1_bin",
        "CREATE TABLE author (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, \
         loud VARCHAR(20) AS (upper(name)) STORED) DEFAULT CHARSET = latin1",
        "CREATE TABLE book (id INT AUTO_INCREMENT PRIMARY KEY, author INT NOT NULL, \
         CONSTRAINT by_author FOREIGN KEY (author) REFERENCES author (id))",
        "CREATE TABLE log (line TEXT)",
        "CREATE VIEW b_view AS SELECT name FROM author",
        "CREATE VIEW a_view AS SELECT name FROM b_view",
        "CREATE TRIGGER note AFTER INSERT ON book FOR EACH ROW INSERT INTO log VALUES ('book')",
        "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
        "CREATE DEFINER = nobody@localhost FUNCTION thrice(n INT) RETURNS INT DETERMINISTIC RETURN n * 3",
        "CREATE PROCEDURE add_author(IN who VARCHAR(20)) \
         BEGIN INSERT INTO author (name) VALUES (who); SELECT 1; END",
        "CREATE EVENT later ON SCHEDULE AT '2037-01-01 00:00:00' DO DELETE FROM log",
        "INSERT INTO author (name) VALUES ('ann'), ('gone')",
        "DELETE FROM author WHERE name = 'gone'",
    ] {
        db.execute_unprepared(sql).await?;
    }
    Ok(())
}

async fn engine_of(schema: Schema) -> Engine {
    Engine::builder()
        .backend(Backend::MySql)
        .schema(schema)
        .teardown_timeout(TEARDOWN_TIMEOUT)
        .build()
        .await
        .unwrap()
}

fn tables() -> Schema {
    Schema::empty().seed(rich)
}

async fn session_of(engine: &Engine, isolation: Isolation) -> Session {
    engine.session(isolation).await.unwrap()
}

async fn number(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let sql = format!("SELECT CAST(({sql}) AS SIGNED)");
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::MySql, sql))
        .await
        .unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

#[test]
fn a_copy_has_keys_views_programs_rows_and_the_next_number() {
    run(async {
        let engine = engine_of(tables()).await;
        for _ in 0..2 {
            let session = session_of(&engine, Isolation::Database).await;
            session
                .execute_unprepared("INSERT INTO author (name) VALUES ('bob')")
                .await
                .unwrap();
            for (sql, expected) in [
                ("SELECT max(id) FROM author", 3),
                ("SELECT count(*) FROM a_view", 2),
                ("SELECT count(*) FROM author WHERE loud = 'ANN'", 1),
                ("SELECT twice(21)", 42),
                ("SELECT @@collation_database = 'latin1_bin'", 1),
                (
                    "SELECT count(*) FROM information_schema.routines \
                     WHERE routine_schema = database() AND definer = 'nobody@localhost'",
                    1,
                ),
                (
                    "SELECT count(*) FROM information_schema.events WHERE event_schema = database()",
                    1,
                ),
                (
                    "SELECT count(*) FROM information_schema.tables WHERE table_schema = database() \
                     AND table_name = 'author' AND table_collation LIKE 'latin1%'",
                    1,
                ),
            ] {
                assert_eq!(number(&session, sql).await, expected, "{sql}");
            }
            let orphan = "INSERT INTO book (author) VALUES (99)";
            let error = session.execute_unprepared(orphan).await.unwrap_err();
            assert!(error.to_string().contains("by_author"), "{error}");
            let book = "INSERT INTO book (author) VALUES (1)";
            session.execute_unprepared(book).await.unwrap();
            assert_eq!(number(&session, "SELECT count(*) FROM log").await, 1);
            let call = "CALL add_author('cyd')";
            session.execute_unprepared(call).await.unwrap();
            assert_eq!(number(&session, "SELECT count(*) FROM author").await, 3);
            session.finish().await.unwrap();
        }
    });
}

#[test]
fn a_definition_commits_on_mysql() {
    run(async {
        let engine = engine_of(tables()).await;
        let session = session_of(&engine, Isolation::Database).await;
        let own = MySqlPool::connect(session.url().expose()).await.unwrap();
        let tx = session.begin().await.unwrap();
        let bob = "INSERT INTO author (name) VALUES ('bob')";
        tx.execute_unprepared(bob).await.unwrap();
        let definition = "CREATE TABLE implicit_commit (x INT)";
        tx.execute_unprepared(definition).await.unwrap();
        let count = "SELECT count(*) FROM author";
        let seen: i64 = sqlx::query_scalar(count).fetch_one(&own).await.unwrap();
        assert_eq!(seen, 2);
        tx.rollback().await.unwrap();
        own.close().await;
        session.finish().await.unwrap();
    });
}

#[test]
fn shared_rows_are_put_back_on_mysql_whatever_triggers_do() {
    run(async {
        let engine = engine_of(tables()).await;
        let mut urls = Vec::new();
        for sql in [
            "INSERT INTO author (name) VALUES ('bob')",
            "DELETE FROM author",
            "UPDATE author SET name = 'ANN'",
            "INSERT INTO book (author) VALUES (1)",
            "INSERT INTO log VALUES ('a'), ('a')",
        ] {
            let session = session_of(&engine, Isolation::Shared).await;
            let state = "SELECT (SELECT count(*) FROM author WHERE name = BINARY 'ann' AND id = 1) * 1000 \
                         + (SELECT count(*) FROM author) * 100 + (SELECT count(*) FROM book) * 10 \
                         + (SELECT count(*) FROM log)";
            assert_eq!(number(&session, state).await, 1100, "before {sql}");
            session.execute_unprepared(sql).await.unwrap();
            urls.push(session.url().clone());
            session.finish().await.unwrap();
        }
        urls.dedup();
        assert_eq!(urls.len(), 1, "one database for all");
    });
}

#[test]
fn rows_written_between_two_tests_on_mysql_are_gone_before_the_second() {
    run(async {
        let engine = engine_of(tables()).await;
        let session = session_of(&engine, Isolation::Shared).await;
        let own = MySqlPool::connect(session.url().expose()).await.unwrap();
        session.finish().await.unwrap();
        for sql in ["INSERT INTO log VALUES ('between')", "DELETE FROM author"] {
            if sqlx::query(sql).execute(&own).await.is_err() {
                break;
            }
        }
        own.close().await;
        let next = session_of(&engine, Isolation::Shared).await;
        assert_eq!(number(&next, "SELECT count(*) FROM log").await, 0);
        assert_eq!(number(&next, "SELECT count(*) FROM author").await, 1);
        next.finish().await.unwrap();
    });
}

/// A server may keep the names of databases and tables as they are, or in small letters.
#[test]
fn what_is_made_on_mysql_has_a_name_in_small_letters() {
    run(async {
        let engine = engine_of(tables()).await;
        let session = session_of(&engine, Isolation::Database).await;
        let ours = "(table_schema LIKE 'gl\\_%' OR table_schema LIKE 'green\\_light%')";
        let own = "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE()";
        let listed = format!("{own} AND {ours}");
        assert!(
            number(&session, &listed).await > 0,
            "it is one of those looked at"
        );
        let large = format!(
            "SELECT count(*) FROM information_schema.tables \
             WHERE {ours} AND table_schema <> BINARY LOWER(table_schema)"
        );
        assert_eq!(number(&session, &large).await, 0);
        let registry = "SELECT count(*) FROM information_schema.tables \
                        WHERE table_schema = 'green_light' \
                        AND table_name <> BINARY LOWER(table_name)";
        assert_eq!(number(&session, registry).await, 0);
        session.finish().await.unwrap();
    });
}

#[test]
fn a_template_that_somebody_drops_by_hand_is_built_again_on_mysql() {
    run(async {
        let schema = Schema::sql("CREATE TABLE dropped_by_hand (x INT)");
        for _ in 0..2 {
            let engine = engine_of(schema.clone()).await;
            let session = session_of(&engine, Isolation::Database).await;
            let count = "SELECT count(*) FROM dropped_by_hand";
            assert_eq!(number(&session, count).await, 0);
            let templates = "SELECT table_schema FROM information_schema.tables \
                             WHERE table_name = 'dropped_by_hand' AND table_schema LIKE '%\\_t\\_%'";
            let row = session
                .query_one_raw(Statement::from_string(DbBackend::MySql, templates))
                .await
                .unwrap();
            let template: String = row.unwrap().try_get_by_index(0).unwrap();
            let drop = format!("DROP DATABASE {template}");
            let admin = outside(&administrator(session.url().expose())).await;
            admin.execute_unprepared(&drop).await.unwrap();
            admin.close().await.unwrap();
            session.finish().await.unwrap();
        }
    });
}

#[test]
fn a_lock_left_on_mysql_is_told_and_reaches_nobody() {
    run(async {
        let engine = engine_of(tables()).await;
        let session = session_of(&engine, Isolation::Shared).await;
        let bob = "INSERT INTO author (name) VALUES ('bob')";
        session.execute_unprepared(bob).await.unwrap();
        let own = MySqlPool::connect(session.url().expose()).await.unwrap();
        let mut leaked = own.begin().await.unwrap();
        sqlx::query("UPDATE author SET name = 'leaked' WHERE name = 'ann'")
            .execute(&mut *leaked)
            .await
            .unwrap();
        let error = session.finish().await.unwrap_err();
        assert!(error.is_held(), "{error:?}");
        let next = session_of(&engine, Isolation::Shared).await;
        assert_eq!(number(&next, "SELECT count(*) FROM author").await, 1);
        next.finish().await.unwrap();
        drop(leaked);
    });
}

/// An account belongs to the server, and outlives its template.
#[test]
fn a_schema_that_makes_accounts_is_built_as_often_as_it_changes() {
    run(async {
        let schema = |line: &str| {
            Schema::sql(format!(
                "CREATE TABLE t (a int); {line};
                 CREATE USER of_a_schema@localhost IDENTIFIED BY 'secret';
                 CREATE ROLE role_of_a_schema, other_of_a_schema;
                 GRANT SELECT ON t TO role_of_a_schema;
                 GRANT role_of_a_schema TO of_a_schema@localhost"
            ))
        };
        for line in ["SELECT 1", "SELECT 2"] {
            let engine = engine_of(schema(line)).await;
            session_of(&engine, Isolation::Database)
                .await
                .finish()
                .await
                .unwrap();
        }
        // Of two databases at once, too.
        let (three, four) = (schema("SELECT 3"), schema("SELECT 4"));
        tokio::join!(engine_of(three), engine_of(four));
    });
}

#[test]
fn a_schema_that_makes_an_account_twice_is_an_error() {
    run(async {
        let twice = "CREATE USER twice_of_a_schema; CREATE USER twice_of_a_schema";
        let engine = Engine::builder().backend(Backend::MySql);
        let error = engine.schema(Schema::sql(twice)).build().await.unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains("Operation CREATE USER failed"), "{text}");
    });
}

async fn name_of(db: &DatabaseConnection) -> String {
    let name = Statement::from_string(DbBackend::MySql, "SELECT database()");
    let row = db.query_one_raw(name).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// Privileges belong to the server, and name the database.
#[test]
fn privileges_that_a_schema_gives_are_there_in_each_copy_and_go_with_it() {
    run(async {
        let engine = engine_of(Schema::sql(
            "CREATE TABLE t (a int, b int); CREATE FUNCTION f() RETURNS INT RETURN 1;
             CREATE USER reader_of_a_schema@localhost;
             GRANT SELECT (a), UPDATE (b) ON t TO reader_of_a_schema@localhost;
             GRANT INSERT ON * TO reader_of_a_schema@localhost WITH GRANT OPTION;
             GRANT EXECUTE ON FUNCTION f TO reader_of_a_schema@localhost",
        ))
        .await;
        let mut used = Vec::new();
        for isolation in [
            Isolation::Database,
            Isolation::Shared,
            Isolation::Shared,
            Isolation::Transaction,
        ] {
            let session = session_of(&engine, isolation).await;
            let url = session.url().expose().to_owned();
            let admin = outside(&administrator(&url)).await;
            let name = name_of(&admin).await;
            for (from, count) in [("tables", 2), ("schema", 1), ("column", 2)] {
                let from = match from {
                    // Rows of `t` itself, and of the function.
                    "tables" => format!(
                        "(SELECT db FROM mysql.tables_priv UNION ALL SELECT db FROM mysql.procs_priv) p WHERE db = '{name}'"
                    ),
                    other => format!(
                        "information_schema.{other}_privileges WHERE table_schema = '{name}' \
                         AND grantee LIKE '%reader_of_a_schema%'"
                    ),
                };
                let sql = format!("SELECT count(*) FROM {from}");
                assert_eq!(number(&admin, &sql).await, count, "{isolation:?}: {from}");
            }
            admin.close().await.unwrap();
            session.finish().await.unwrap();
            used.push((server_of(&url), name));
        }
        // The first one is dropped in the background.
        let (url, _) = used.last().unwrap();
        let (_, dropped) = &used[0];
        let admin = outside(url).await;
        let left = format!("SELECT count(*) FROM mysql.db WHERE db = '{dropped}'");
        while number(&admin, &left).await > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        admin.close().await.unwrap();
    });
}

/// What is made in `sql_mode = ORACLE`, and the comment of the database.
#[test]
fn a_copy_has_the_packages_and_the_comment_of_its_template_on_mariadb() {
    run(async {
        let plain = engine_of(Schema::sql("CREATE TABLE t (a int)")).await;
        let session = session_of(&plain, Isolation::Database).await;
        let is_mariadb = "SELECT version() LIKE '%MariaDB%'";
        let is_mariadb = number(&session, is_mariadb).await == 1;
        session.finish().await.unwrap();
        if !is_mariadb {
            return;
        }
        let engine = engine_of(Schema::sql(
            "ALTER DATABASE COMMENT 'of the template';
             CREATE SEQUENCE s START WITH 7;
             SET sql_mode = ORACLE;
             CREATE PACKAGE k AS FUNCTION f RETURN INT; END;
             CREATE PACKAGE BODY k AS FUNCTION f RETURN INT AS BEGIN RETURN 5; END; END;
             SET sql_mode = DEFAULT",
        ))
        .await;
        for isolation in [Isolation::Database, Isolation::Shared, Isolation::Shared] {
            let session = session_of(&engine, isolation).await;
            for (sql, expected) in [
                (
                    "SELECT count(*) FROM information_schema.routines \
                     WHERE routine_schema = database() AND routine_name = 'k'",
                    2,
                ),
                ("SELECT NEXTVAL(s)", 7),
                (
                    "SELECT schema_comment = 'of the template' FROM information_schema.schemata \
                     WHERE schema_name = database()",
                    1,
                ),
            ] {
                assert_eq!(
                    number(&session, sql).await,
                    expected,
                    "{isolation:?}: {sql}"
                );
            }
            for change in [
                "ALTER DATABASE COMMENT 'of a test'",
                "SET sql_mode = ORACLE; DROP PACKAGE k; SET sql_mode = DEFAULT",
                "ALTER SEQUENCE s RESTART WITH 70",
            ] {
                session.execute_unprepared(change).await.unwrap();
            }
            session.finish().await.unwrap();
        }
    });
}

/// On a server of green-light's own.
#[test]
fn what_would_reach_the_whole_server_is_refused_to_a_test() {
    run(async {
        let engine = engine_of(Schema::sql("CREATE TABLE t (a int)")).await;
        for isolation in [Isolation::Database, Isolation::Shared] {
            let session = session_of(&engine, isolation).await;
            for refused in [
                "CREATE USER of_a_test",
                "CREATE ROLE of_a_test",
                "GRANT SELECT ON *.* TO root@localhost",
                "SET GLOBAL max_connections = 77",
                "INSTALL SONAME 'metadata_lock_info'",
                "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'localhost')",
                "CREATE DATABASE of_a_test",
                "DELETE FROM green_light.templates",
                "INSERT INTO mysql.time_zone_name VALUES ('Test/Test', 1)",
                "FLUSH TABLES WITH READ LOCK",
                "SHUTDOWN",
            ] {
                let error = session.execute_unprepared(refused).await.unwrap_err();
                let text = error.to_string().to_lowercase();
                assert!(text.contains("denied"), "{refused}: {text}");
                let help = green_light_core::help_for(&error.to_string());
                let says_more = help.is_some_and(|help| help.contains("into the schema"));
                assert!(says_more, "{refused}: {error}");
            }
            session.finish().await.unwrap();
        }
    });
}
