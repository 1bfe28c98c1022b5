//! Traps of MySQL and MariaDB in a transaction that never ends: a statement that commits fails its
//! own test, and no other test finds anything of it.

use std::time::Duration;

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::{ConnectionTrait, TransactionTrait};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use crate::children::{part, playing, said};
use crate::mysql_server::MySqlServer;
use crate::support::{
    begin, caught, count, engine_of, engine_on, expect_clean, finish, insert, number, outside, run,
    send_text,
};

async fn engine() -> Engine {
    engine_on(Backend::MySql).await
}

#[test]
fn every_statement_that_commits_fails_its_test_and_is_named() {
    run(async {
        let engine = engine().await;
        for sql in [
            "CREATE TABLE y (a int)",
            "ALTER TABLE u ADD COLUMN age int",
            "DROP TABLE IF EXISTS nothing",
            "RENAME TABLE u TO v",
            "TRUNCATE u",
            "CREATE VIEW w AS SELECT 1",
            "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET @a = 1",
            "LOCK TABLES u WRITE",
            "ANALYZE TABLE u",
            "OPTIMIZE TABLE u",
            "CREATE USER IF NOT EXISTS root@localhost",
            "GRANT USAGE ON *.* TO root@localhost",
            "BEGIN",
            "START TRANSACTION",
            "COMMIT",
            "ROLLBACK",
            "SET autocommit = 0; SET autocommit = 1",
            "SET @@autocommit = 0; SET @@autocommit = DEFAULT",
            "SET SESSION autocommit = OFF; SET LOCAL autocommit = ON",
            "SET @a = 1, @@session.autocommit = 0, sql_mode = '', `autocommit` = 1",
        ] {
            let test = begin(&engine).await;
            let session = test.session();
            let _ = session.execute_unprepared(sql).await;
            // Whatever was committed, the rest of the test has a working database.
            count(&session).await;
            drop(session);
            let text = caught(&engine, test).await;
            assert!(text.contains(&format!("by: `{sql}`")), "{text}");
        }
    });
}

#[test]
fn a_statement_that_green_light_does_not_see_is_named_by_its_kind() {
    run(async {
        let engine = engine().await;
        for (sql, kind) in [
            ("CREATE TABLE y (a int)", "`CREATE TABLE`"),
            ("TRUNCATE u", "`TRUNCATE`"),
            ("LOCK TABLES u WRITE", "`LOCK TABLES`"),
            ("BEGIN", "`BEGIN`"),
            ("COMMIT", "`COMMIT`"),
            ("ROLLBACK", "`ROLLBACK`"),
            ("SET autocommit = 0; SET autocommit = 1", "`SET autocommit`"),
            ("FLUSH STATUS", "`FLUSH STATUS`"),
        ] {
            for way in 0..3 {
                let test = begin(&engine).await;
                let db = test.connection();
                send_text(&db, way, sql).await;
                count(&db).await;
                drop(db);
                let text = caught(&engine, test).await;
                // A server of green-light's own refuses that one, after its commit.
                let refused = kind.replace(" STATUS", "");
                let is_named = [kind, &refused]
                    .iter()
                    .any(|kind| text.contains(&format!("by {kind}, sent as text")));
                assert!(is_named, "{way}: {text}");
                assert!(text.contains("GREEN_LIGHT_DEBUG=1"), "{text}");
            }
        }
    });
}

#[test]
fn when_debugging_a_statement_that_green_light_does_not_see_is_named_by_its_text() {
    if part().is_none() {
        let test = "mysql_sandbox::when_debugging_a_statement_that_green_light_does_not_see_is_named_by_its_text";
        let mut child = playing(test, "debugging");
        said(child.env("GREEN_LIGHT_DEBUG", "1").spawn().unwrap());
        return;
    }
    run(async {
        let engine = engine().await;
        for sql in ["COMMIT", "CREATE TABLE y (a int)"] {
            let test = begin(&engine).await;
            let db = test.connection();
            let _ = db.execute_unprepared(sql).await;
            count(&db).await;
            drop(db);
            let text = caught(&engine, test).await;
            assert!(text.contains(&format!("by: `{sql}`")), "{text}");
            assert!(text.contains("on a connection taken at "), "{text}");
        }
    });
}

#[test]
fn a_savepoint_of_the_name_of_ours_is_another_one() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let db = test.connection();
        db.execute_unprepared("RELEASE SAVEPOINT green_light")
            .await
            .unwrap_err();
        db.execute_unprepared("SAVEPOINT green_light; RELEASE SAVEPOINT green_light")
            .await
            .unwrap();
        assert_eq!(count(&db).await, 2);
        drop(db);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

/// The name can be read where a session keeps the texts of its statements.
#[test]
fn a_savepoint_of_ours_that_is_set_again_on_mysql_hides_no_commit() {
    run(async {
        let engine = engine().await;
        for (commits, by) in [
            (
                "COMMIT; START TRANSACTION READ WRITE; INSERT INTO u (email) VALUES ('committed'); COMMIT; \
                 START TRANSACTION READ WRITE",
                "by `COMMIT`",
            ),
            (
                "SET SESSION TRANSACTION READ WRITE; CREATE TABLE committed (a INT); SET autocommit = 0",
                "by `CREATE TABLE`",
            ),
            // It counts as no commit.
            (
                "SET SESSION TRANSACTION READ WRITE; SET autocommit = 0; INSERT INTO u (email) VALUES ('committed'); \
                 SET autocommit = 1; SET autocommit = 0",
                "by `SET autocommit`",
            ),
        ] {
            let test = begin(&engine).await;
            let session = test.session();
            let pool = session.mysql_pool();
            pool.execute("SET profiling = 1").await.unwrap();
            pool.execute("SELECT 1").await.unwrap();
            let profiles = pool.fetch_all("SHOW PROFILES").await.unwrap();
            let texts = profiles.iter().map(|row| row.get_unchecked::<String, _>(2));
            let set = texts.filter(|text| text.starts_with("SAVEPOINT green_light_"));
            let set = set.last().unwrap();
            let text = format!("{commits}; INSERT INTO u (email) VALUES ('after'); {set}");
            pool.execute(AssertSqlSafe(text)).await.unwrap();
            assert!(count(&*session).await >= 3, "what was committed is there");
            drop(session);
            let text = caught(&engine, test).await;
            assert!(text.contains(by), "{text}");
            expect_clean(&engine).await;
        }
    });
}

/// The first of two texts commits nothing. The second one does, and is the one that is told.
#[test]
fn a_commit_by_autocommit_is_told_in_whatever_way_it_is_sent() {
    run(async {
        const PROCEDURES: &str = "CREATE TABLE u (id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(50) UNIQUE); \
            INSERT INTO u (email) VALUES ('seed'); \
            CREATE PROCEDURE off() SET autocommit = 0; \
            CREATE PROCEDURE twice() BEGIN SET SESSION autocommit = 0; SET @a = 1, autocommit = 1; END";
        let engine = Engine::builder()
            .backend(Backend::MySql)
            .schema(Schema::sql(PROCEDURES));
        let engine = engine.build().await.unwrap();
        for (first, second) in [
            ("SET autocommit = 0", "SET autocommit = 1"),
            ("SET @@autocommit = 0", "SET @@SESSION.autocommit = DEFAULT"),
            (
                "SET SESSION autocommit = 0",
                "SET @b = 1, SESSION autocommit = ON",
            ),
            ("CALL off()", "SET autocommit = 1"),
            ("DO 0", "CALL twice()"),
            (
                "PREPARE p FROM 'SET autocommit = 0'",
                "EXECUTE p; SET autocommit = 1",
            ),
            (
                "SET autocommit = 0",
                "EXECUTE IMMEDIATE 'SET autocommit = 1'",
            ),
        ] {
            for way in 0..4 {
                let test = begin(&engine).await;
                let (session, db) = (test.session(), test.connection());
                insert(&db, "before it").await.unwrap();
                for text in [first, second] {
                    match way {
                        3 => drop(session.execute_unprepared(text).await),
                        way => send_text(&db, way, text).await,
                    }
                }
                count(&db).await;
                drop((db, session));
                let text = caught(&engine, test).await;
                let is_named = text.contains(second) || text.contains("`SET autocommit`");
                assert!(is_named, "{way}, {second}: {text}");
            }
        }
    });
}

#[test]
fn statements_that_commit_nothing_are_no_breach() {
    run(async {
        let engine = engine().await;
        for sql in [
            "CREATE TEMPORARY TABLE tt (a int)",
            "SET autocommit = 1",
            "INSERT INTO u (email) VALUES ('mine'); SET autocommit = 0; DELETE FROM u WHERE email = 'mine'",
            "SET @a = 1",
            "LOAD INDEX INTO CACHE u",
            "SELECT GET_LOCK('green_light_test', 0)",
            "INSERT INTO u (email) VALUES ('seed')",
        ] {
            let test = begin(&engine).await;
            let _ = test.session().execute_unprepared(sql).await;
            assert_eq!(count(&test.connection()).await, 2, "{sql}");
            finish(test).await;
            expect_clean(&engine).await;
        }
    });
}

#[test]
fn nothing_can_be_written_after_a_statement_that_commits() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let tx = test.connection().begin().await.unwrap();
        let _ = tx.execute_unprepared("CREATE TABLE y (a int)").await;
        let refused = insert(&tx, "autocommitted").await.unwrap_err().to_string();
        assert!(refused.contains("READ ONLY"), "{refused}");
        let _ = tx.commit().await;
        caught(&engine, test).await;
    });
}

#[test]
fn a_lock_that_is_not_given_in_time_takes_nothing_along() {
    run(async {
        let engine = engine().await;
        let test = begin(&engine).await;
        let session = test.session();
        let rival = outside(session.url().expose()).await;
        let other = rival.begin().await.unwrap();
        insert(&other, "rival").await.unwrap();
        let late = "Lock wait timeout exceeded";
        let error = insert(&*session, "rival").await.unwrap_err();
        assert!(error.to_string().contains(late), "{error}");
        assert_eq!(count(&*session).await, 2);
        let tx = session.begin().await.unwrap();
        insert(&tx, "inside").await.unwrap();
        let error = insert(&tx, "rival").await.unwrap_err();
        assert!(error.to_string().contains(late), "{error}");
        tx.commit().await.unwrap();
        assert_eq!(count(&*session).await, 3);
        other.rollback().await.unwrap();
        rival.close().await.unwrap();
        drop(session);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn a_deadlock_is_no_breach_and_is_told() {
    run(async {
        let engine = engine().await;
        let test = engine.transaction_for("shop::innocent").await.unwrap();
        let session = test.session();
        let rival = outside(session.url().expose()).await;
        session
            .execute_unprepared("INSERT INTO u (email) VALUES ('a'), ('b')")
            .await
            .unwrap();
        // The one that wrote less goes, so the rival writes more.
        let other = rival.begin().await.unwrap();
        for n in 0..50 {
            insert(&other, &format!("rival {n}")).await.unwrap();
        }
        let seed = "UPDATE u SET email = 'seed 2' WHERE email = 'seed'";
        other.execute_unprepared(seed).await.unwrap();
        // The rival waits for the test, then the test for the rival.
        let waits = tokio::spawn(async move {
            let mine = "DELETE FROM u WHERE email = 'a'";
            other.execute_unprepared(mine).await.unwrap();
            other.rollback().await.unwrap();
        });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let theirs = "DELETE FROM u WHERE email = 'seed'";
        let error = session.execute_unprepared(theirs).await.unwrap_err();
        assert!(error.to_string().contains("Deadlock found"), "{error}");
        waits.await.unwrap();
        rival.close().await.unwrap();
        assert_eq!(
            count(&session).await,
            1,
            "the rest of the test starts from the template"
        );
        insert(&session, "after").await.unwrap();
        drop(session);
        // Its end knows at the latest what the server did.
        finish(test.clone()).await;
        assert!(test.contention().unwrap().contains("deadlock"));
        expect_clean(&engine).await;
    });
}

#[test]
fn a_table_that_cannot_roll_back_is_refused_where_it_would_have_to() {
    run(async {
        let sql = "CREATE TABLE fine (a int); CREATE TABLE old (a int) ENGINE = MyISAM";
        let engine = engine_of(Backend::MySql, Schema::sql(sql)).await;
        let error = engine.transaction().await.unwrap_err();
        assert!(error.is_schema(), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("table `old` has engine MyISAM") && text.contains("InnoDB"),
            "{text}"
        );
        // Where nothing has to be rolled back, it works.
        let session = engine.session(Isolation::Database).await.unwrap();
        let sql = "INSERT INTO old VALUES (1)";
        session.execute_unprepared(sql).await.unwrap();
        session.finish().await.unwrap();
    });
}

#[test]
fn tests_that_run_at_the_same_time_have_databases_of_their_own() {
    run(async {
        let engine = engine().await;
        let (one, two) = (begin(&engine).await, begin(&engine).await);
        assert_ne!(one.session().url().expose(), two.session().url().expose());
        insert(&one.connection(), "same").await.unwrap();
        insert(&two.connection(), "same").await.unwrap();
        two.session()
            .execute_unprepared("TRUNCATE u")
            .await
            .unwrap_err();
        assert_eq!(count(&one.connection()).await, 3);
        finish(one).await;
        caught(&engine, two).await;
    });
}

const ARIA: &str =
    "mysql_sandbox::a_table_of_aria_on_mariadb_takes_no_rows_along_and_what_it_costs_is_told";

/// MariaDB sets no savepoint in a transaction in which a table of Aria was used, as those of `mysql` are.
#[test]
fn a_table_of_aria_on_mariadb_takes_no_rows_along_and_what_it_costs_is_told() {
    if part().is_some() {
        return run(async {
            let engine = engine().await;
            for _ in 0..2 {
                let test = begin(&engine).await;
                let session = test.session();
                insert(&*session, "first").await.unwrap();
                let tx = session.begin().await.unwrap();
                number(&tx, "SELECT count(*) FROM mysql.servers").await;
                insert(&tx, "beside").await.unwrap();
                tx.commit().await.unwrap();
                insert(&*session, "after").await.unwrap();
                assert_eq!(count(&*session).await, 5, "nothing is lost");
                drop(session);
                finish(test).await;
                expect_clean(&engine).await;
            }
            let test = begin(&engine).await;
            let session = test.session();
            number(&*session, "SELECT count(*) FROM mysql.servers").await;
            let is_mariadb = "SELECT version() LIKE '%MariaDB%'";
            if number(&*session, is_mariadb).await == 1 {
                let refused = session.begin().await.unwrap_err().to_string();
                let help = green_light_core::help_for(&refused).unwrap();
                assert!(help.contains("isolation = database"), "{refused}: {help}");
                drop(session);
                let text = caught(&engine, test).await;
                assert!(text.contains("had used a table of Aria"), "{text}");
            }
            // A commit is seen there, too.
            let test = begin(&engine).await;
            let session = test.session();
            number(&*session, "SELECT count(*) FROM mysql.servers").await;
            session.execute_unprepared("COMMIT").await.unwrap();
            drop(session);
            caught(&engine, test).await;
        });
    }
    let server = MySqlServer::start(50);
    run(async {
        let mut admin = server.admin().await;
        let grant = "GRANT SELECT ON mysql.servers TO tester@localhost";
        admin.execute(grant).await.unwrap();
        admin.close().await.unwrap();
    });
    said(server.playing(ARIA, "play").spawn().unwrap());
    server.end();
}
