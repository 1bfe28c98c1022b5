//! What PostgreSQL does at a commit is done when the application's transaction has ended within a test.

use green_light_fixtures::{Backend, Engine, Schema, Transaction};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, Statement, TransactionTrait,
};
use sqlx::Row as _;

use crate::support::{
    begin, engine_of, engine_on, expect_clean, finish, insert, number, run, text,
};

fn statement(sql: &str) -> Statement {
    Statement::from_string(sea_orm::DbBackend::Postgres, sql)
}

/// Sends a text that SeaORM reports, or one that it does not report.
async fn send(tx: &impl ConnectionTrait, is_reported: bool, sql: &str) {
    let sent = match is_reported {
        true => tx.execute_raw(statement(sql)).await,
        false => tx.execute_unprepared(sql).await,
    };
    sent.unwrap();
}

async fn expect_committed(tx: DatabaseTransaction) {
    tx.commit().await.unwrap();
}

const TENANTS: &str = "
    CREATE ROLE green_light_it_tenant;
    CREATE TABLE note (tenant text, body text);
    ALTER TABLE note ENABLE ROW LEVEL SECURITY;
    CREATE POLICY of_tenant ON note USING (tenant = current_setting('app.tenant', true));
    GRANT SELECT, INSERT ON note TO green_light_it_tenant;
    INSERT INTO note VALUES ('7', 'a'), ('7', 'b'), ('8', 'c')";
const NOTES: &str = "SELECT count(*) FROM note";

/// As an application does whose role is subject to row-level security.
async fn tenants() -> (Engine, Transaction, DatabaseConnection) {
    let engine = engine_of(Backend::Postgres, Schema::sql(TENANTS)).await;
    let test = engine.transaction_for("shop::tenants").await.unwrap();
    let db = test.connection();
    db.execute_raw(statement("SET ROLE green_light_it_tenant"))
        .await
        .unwrap();
    (engine, test, db)
}

#[test]
fn code_that_forgets_its_tenant_finds_no_rows_as_in_production() {
    run(async {
        for is_reported in [true, false] {
            let (engine, test, db) = tenants().await;
            for (tenant, notes) in [("7", 2), ("8", 1)] {
                let tx = db.begin().await.unwrap();
                send(
                    &tx,
                    is_reported,
                    &format!("SET LOCAL app.tenant = '{tenant}'"),
                )
                .await;
                assert_eq!(number(&tx, NOTES).await, notes, "{is_reported}");
                expect_committed(tx).await;
                let tx = db.begin().await.unwrap();
                assert_eq!(number(&tx, NOTES).await, 0, "{is_reported}");
                expect_committed(tx).await;
                assert_eq!(number(&db, NOTES).await, 0, "{is_reported}");
            }
            drop(db);
            finish(test).await;
            let next = engine.transaction_for("next").await.unwrap();
            let look = "SELECT coalesce(current_setting('app.tenant', true), 'none')";
            assert_eq!(text(&next.connection(), look).await, "none");
            finish(next).await;
        }
    });
}

#[test]
fn code_that_forgets_its_tenant_finds_no_rows_through_the_pool_of_sqlx() {
    run(async {
        let (_engine, test, db) = tenants().await;
        let pool = db.get_postgres_connection_pool();
        for (tenant, notes) in [("7", 2_i64), ("8", 1)] {
            let mut tx = pool.begin().await.unwrap();
            sqlx::query("SELECT set_config('app.tenant', $1, true)")
                .bind(tenant)
                .execute(&mut *tx)
                .await
                .unwrap();
            let row = sqlx::query(NOTES).fetch_one(&mut *tx).await.unwrap();
            assert_eq!(row.get::<i64, _>(0), notes);
            tx.commit().await.unwrap();
            let row = sqlx::query(NOTES).fetch_one(pool).await.unwrap();
            assert_eq!(row.get::<i64, _>(0), 0);
        }
        drop(db);
        finish(test).await;
    });
}

/// PostgreSQL lists no setting of an application, and forgets none: after its transaction one is the empty text. In
/// production the next request on the same connection of a pool finds it so as well.
#[test]
fn a_setting_that_neither_the_schema_nor_a_known_statement_names_stays() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        let look = "SELECT coalesce(current_setting('app.unnamed', true), 'none')";
        let test = engine.transaction_for("shop::unnamed").await.unwrap();
        let db = test.connection();
        let tx = db.begin().await.unwrap();
        send(&tx, true, "SELECT 1").await;
        send(&tx, false, "SET LOCAL app.unnamed = '7'").await;
        expect_committed(tx).await;
        assert_eq!(text(&db, look).await, "7", "until the end of the test");
        drop(db);
        finish(test).await;
        let next = engine.transaction_for("next").await.unwrap();
        assert_eq!(
            text(&next.connection(), look).await,
            "",
            "if it is gone, the docs promise too little"
        );
        finish(next).await;
    });
}

#[test]
fn a_setting_of_a_transaction_ends_with_it_and_another_one_stays() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        let show = |name: &str| format!("SELECT current_setting('{name}', true)");
        for (name, value) in [
            ("work_mem", "7MB"),
            ("search_path", "pg_catalog"),
            ("timezone", "Asia/Tokyo"),
            ("role", "pg_monitor"),
            ("row_security", "off"),
            ("statement_timeout", "12345ms"),
            ("enable_hashagg", "off"),
        ] {
            let test = begin(&engine).await;
            let db = test.connection();
            let before = text(&db, &show(name)).await;
            let set = format!("SET LOCAL {name} = '{value}'");
            let call = format!("SELECT set_config('{name}', '{value}', true)");
            for (sql, is_reported) in [(&set, true), (&call, true), (&set, false), (&call, false)] {
                // SeaORM reports no text, and so nobody knows this name.
                if !is_reported && name == "enable_hashagg" {
                    continue;
                }
                let tx = db.begin().await.unwrap();
                send(&tx, is_reported, sql).await;
                assert_eq!(text(&tx, &show(name)).await, value, "{sql}");
                expect_committed(tx).await;
                assert_eq!(text(&db, &show(name)).await, before, "after `{sql}`");
            }
            let tx = db.begin().await.unwrap();
            send(&tx, true, &format!("SET {name} = '{value}'")).await;
            expect_committed(tx).await;
            assert_eq!(text(&db, &show(name)).await, value, "{name} stays");
            // Until a later transaction sets it for itself alone.
            let tx = db.begin().await.unwrap();
            send(&tx, true, &format!("SET LOCAL {name} = DEFAULT")).await;
            expect_committed(tx).await;
            assert_eq!(text(&db, &show(name)).await, value, "{name} stays");
            drop(db);
            finish(test).await;
        }
        expect_clean(&engine).await;
    });
}

#[test]
fn a_text_alone_on_its_connection_sets_what_stays() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        let test = begin(&engine).await;
        let db = test.connection();
        let show = "SELECT current_setting('work_mem')";
        for (way, value) in ["7MB", "8MB", "9MB"].into_iter().enumerate() {
            let sql = format!("SET work_mem = '{value}'");
            let pool = db.get_postgres_connection_pool();
            match way {
                0 => send(&db, false, &sql).await,
                1 => drop(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(pool).await),
                _ => drop(sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await),
            }
            assert_eq!(text(&db, show).await, value, "{way}");
        }
        drop(db);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

const BOOKS: &str = "
    CREATE TABLE author (id int PRIMARY KEY);
    CREATE TABLE book (id int UNIQUE DEFERRABLE, author int REFERENCES author DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE log (book int);
    CREATE FUNCTION log_book() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER log_book AFTER INSERT ON book DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION log_book()";
const BOOK_COUNT: &str = "SELECT count(*) FROM book";
const LOG_COUNT: &str = "SELECT count(*) FROM log";

async fn books() -> (Engine, Transaction, DatabaseConnection) {
    let engine = engine_of(Backend::Postgres, Schema::sql(BOOKS)).await;
    let test = engine.transaction_for("shop::books").await.unwrap();
    let db = test.connection();
    (engine, test, db)
}

#[test]
fn deferred_triggers_run_when_the_application_commits() {
    run(async {
        let (engine, test, db) = books().await;
        for round in 1..4 {
            let tx = db.begin().await.unwrap();
            let sql = format!("INSERT INTO book VALUES ({round}, {round})");
            send(&tx, round == 1, &sql).await;
            assert_eq!(number(&tx, LOG_COUNT).await, round - 1);
            let sql = format!("INSERT INTO author VALUES ({round})");
            send(&tx, true, &sql).await;
            let inner = tx.begin().await.unwrap();
            inner.commit().await.unwrap();
            assert_eq!(number(&tx, LOG_COUNT).await, round - 1);
            expect_committed(tx).await;
            assert_eq!(number(&db, LOG_COUNT).await, round);
        }
        let tx = db.begin().await.unwrap();
        send(&tx, true, "INSERT INTO book VALUES (9, 9)").await;
        tx.rollback().await.unwrap();
        assert_eq!(number(&db, LOG_COUNT).await, 3);
        // As text, a commit is refused as ever.
        drop(db.execute_unprepared("COMMIT").await);
        drop(db);
        assert!(test.finish().await.unwrap_err().is_breach());
        let next = engine.transaction_for("next").await.unwrap();
        assert_eq!(number(&next.connection(), LOG_COUNT).await, 0);
        finish(next).await;
    });
}

#[test]
fn a_commit_that_production_refuses_is_told_and_its_rows_are_gone() {
    run(async {
        let (engine, test, db) = books().await;
        send(&db, true, "INSERT INTO author VALUES (1)").await;
        let tx = db.begin().await.unwrap();
        send(&tx, true, "INSERT INTO book VALUES (1, 7)").await;
        expect_committed(tx).await;
        assert_eq!(number(&db, BOOK_COUNT).await, 0);
        let tx = db.begin().await.unwrap();
        send(&tx, true, "INSERT INTO book VALUES (2, 1)").await;
        expect_committed(tx).await;
        assert_eq!(number(&db, BOOK_COUNT).await, 1);
        drop(db);
        let error = test.finish().await.unwrap_err();
        assert!(error.is_constraint(), "{error:?}");
        let told = error.to_string();
        assert!(
            told.contains("test `shop::books` committed what no commit would accept")
                && told.contains("(author)=(7) is not present")
                && told.contains("isolation = database"),
            "{told}"
        );
        let next = engine.transaction_for("next").await.unwrap();
        assert_eq!(number(&next.connection(), BOOK_COUNT).await, 0);
        finish(next).await;
        assert_eq!(engine.stats().slots_discarded, 0);
    });
}

#[test]
fn what_is_deferred_in_one_transaction_is_not_deferred_in_the_next() {
    run(async {
        let (_engine, test, db) = books().await;
        send(&db, true, "INSERT INTO author VALUES (1)").await;
        let twice = "INSERT INTO book VALUES (1, 1), (1, 1)";
        let tx = db.begin().await.unwrap();
        send(&tx, false, "SET CONSTRAINTS ALL DEFERRED").await;
        send(&tx, true, twice).await;
        send(&tx, true, "DELETE FROM book").await;
        expect_committed(tx).await;
        let tx = db.begin().await.unwrap();
        assert!(tx.execute_raw(statement(twice)).await.is_err());
        tx.rollback().await.unwrap();
        // Nor does a constraint that a test has dropped stop the others.
        send(&db, false, "ALTER TABLE book DROP CONSTRAINT book_id_key").await;
        send(&db, true, "INSERT INTO book VALUES (5, 1)").await;
        assert_eq!(number(&db, BOOK_COUNT).await, 1);
        drop(db);
        finish(test).await;
    });
}

#[test]
fn a_lock_of_a_transaction_stays_and_stops_nobody() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        let test = begin(&engine).await;
        let db = test.connection();
        for _ in 0..2 {
            let tx = db.begin().await.unwrap();
            let lock = "SELECT pg_try_advisory_xact_lock(4711)::int::bigint";
            assert_eq!(number(&tx, lock).await, 1);
            expect_committed(tx).await;
        }
        drop(db);
        finish(test).await;
        let next = engine.transaction_for("next").await.unwrap();
        let locks =
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
        assert_eq!(number(&next.connection(), locks).await, 0);
        finish(next).await;
    });
}

/// Only a connection that is made by the URL can wait for such a lock, and a test that fails has a remark.
#[test]
fn a_lock_of_a_transaction_that_another_connection_may_wait_for_is_a_remark() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        for (lock, asks, is_told) in [
            ("pg_advisory_xact_lock", true, true),
            ("pg_advisory_lock", true, false),
            ("pg_advisory_xact_lock", false, false),
        ] {
            let test = begin(&engine).await;
            let db = test.connection();
            let tx = db.begin().await.unwrap();
            send(&tx, true, &format!("SELECT {lock}(4711)")).await;
            expect_committed(tx).await;
            if asks {
                assert!(!test.session().url().expose().is_empty());
            }
            drop(db);
            // A test that asked for the URL gets no later one its database.
            finish(test.clone()).await;
            let remarks = test.remarks();
            assert_eq!(!remarks.is_empty(), is_told, "{lock}, {asks}: {remarks:?}");
            assert!(
                !is_told || remarks[0].contains("isolation = database"),
                "{remarks:?}"
            );
        }
    });
}

#[test]
fn a_trigger_on_definitions_does_not_hear_green_light() {
    run(async {
        let sql = "CREATE TABLE u (id bigserial PRIMARY KEY, email text);
            INSERT INTO u (email) VALUES ('seed');
            CREATE TABLE heard (tag text);
            CREATE FUNCTION hear() RETURNS event_trigger LANGUAGE plpgsql AS
              $$ BEGIN INSERT INTO heard VALUES (tg_tag); END $$;
            CREATE EVENT TRIGGER hear ON ddl_command_end EXECUTE FUNCTION hear()";
        let engine = engine_of(Backend::Postgres, Schema::sql(sql)).await;
        let heard = "SELECT coalesce(string_agg(tag, ', '), 'nothing') FROM heard";
        for _ in 0..2 {
            let test = begin(&engine).await;
            let db = test.connection();
            assert_eq!(text(&db, heard).await, "nothing");
            let tx = db.begin().await.unwrap();
            send(&tx, false, "CREATE TABLE more (x int)").await;
            insert(&tx, "more").await.unwrap();
            expect_committed(tx).await;
            assert_eq!(text(&db, heard).await, "CREATE TABLE");
            drop(db);
            finish(test).await;
        }
    });
}

/// All of green-light that an application can see in its database is one schema.
#[test]
fn an_application_sees_one_schema_of_green_light_and_nothing_else() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        let test = begin(&engine).await;
        let db = test.connection();
        insert(&db, "x").await.unwrap();
        for (sql, seen) in [
            (
                "SELECT string_agg(nspname, ' ' ORDER BY nspname) FROM pg_namespace \
                 WHERE oid >= 16384 AND nspname NOT LIKE 'pg\\_%'",
                "green_light",
            ),
            (
                "SELECT string_agg(DISTINCT table_schema, ' ') FROM information_schema.tables \
                 WHERE table_schema NOT IN ('pg_catalog', 'information_schema')",
                "green_light public",
            ),
            (
                "SELECT string_agg(evtname, ' ') FROM pg_event_trigger",
                "green_light_temporary",
            ),
            (
                "SELECT count(*)::text FROM pg_prepared_statements \
                 WHERE from_sql OR statement LIKE '%green' || '_light%'",
                "0",
            ),
            (
                "SELECT coalesce(string_agg(extname, ' '), '') FROM pg_extension WHERE extname <> 'plpgsql'",
                "",
            ),
            (
                "SELECT string_agg(name, ' ' ORDER BY name) FROM pg_settings \
                 WHERE source IN ('session', 'client') AND name NOT IN \
                 ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'extra_float_digits')",
                "default_transaction_read_only idle_in_transaction_session_timeout lock_timeout transaction_read_only",
            ),
        ] {
            assert_eq!(text(&db, sql).await, seen, "{sql}");
        }
        drop(db);
        finish(test).await;
    });
}

#[test]
fn on_a_connection_that_is_kept_a_setting_ends_when_it_is_given_back() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        let test = begin(&engine).await;
        let db = test.connection();
        let show = "SELECT current_setting('search_path')";
        let before = text(&db, show).await;
        let mut kept = db.get_postgres_connection_pool().acquire().await.unwrap();
        let mut tx = sqlx::Connection::begin(&mut *kept).await.unwrap();
        let set = "SELECT set_config('search_path', 'pg_catalog', true)";
        sqlx::query(set).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let row = sqlx::query(show).fetch_one(&mut *kept).await.unwrap();
        assert_eq!(row.get::<String, _>(0), "pg_catalog");
        drop(kept);
        assert_eq!(text(&db, show).await, before);
        drop(db);
        finish(test).await;
    });
}
