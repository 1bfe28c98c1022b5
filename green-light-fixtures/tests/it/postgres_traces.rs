//! What a test leaves in its session of PostgreSQL, where a rollback takes nothing away: no later test finds it.

use green_light_fixtures::{Backend, Engine, Schema};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};

use crate::support::{
    begin, caught, count, engine_of, engine_on, expect_clean, finish, insert, number, run, text,
};

async fn engine() -> Engine {
    engine_on(Backend::Postgres).await
}

fn statement(sql: &str) -> Statement {
    Statement::from_string(DbBackend::Postgres, sql)
}

/// The ways by which a text gets to the server.
const WAYS: usize = 6;

async fn send(db: &DatabaseConnection, way: usize, sql: &'static str) {
    let sent = match way {
        0 => db.execute_unprepared(sql).await.map(drop),
        1 => db.execute_raw(statement(sql)).await.map(drop),
        2 => {
            let tx = db.begin().await.unwrap();
            let sent = tx.execute_unprepared(sql).await.map(drop);
            tx.commit().await.unwrap();
            sent
        }
        3 => {
            let tx = db.begin().await.unwrap();
            insert(&tx, "first").await.unwrap();
            let sent = tx.execute_raw(statement(sql)).await.map(drop);
            tx.commit().await.unwrap();
            sent
        }
        4 => {
            let pool = db.get_postgres_connection_pool();
            sqlx::raw_sql(sql).execute(pool).await.unwrap();
            Ok(())
        }
        _ => {
            let pool = db.get_postgres_connection_pool();
            sqlx::query(sql).execute(pool).await.unwrap();
            Ok(())
        }
    };
    sent.unwrap();
}

/// What `look` finds in the test after one that has sent `sql`, by each way.
async fn expect_nothing_left(engine: &Engine, sql: &'static str, look: &'static str, new: &str) {
    for way in 0..WAYS {
        let test = begin(engine).await;
        let db = test.connection();
        assert_eq!(text(&db, look).await, new, "before `{sql}`");
        send(&db, way, sql).await;
        drop(db);
        finish(test).await;
        let next = begin(engine).await;
        let db = next.connection();
        assert_eq!(text(&db, look).await, new, "after `{sql}`, way {way}");
        drop(db);
        finish(next).await;
    }
}

#[test]
fn a_setting_of_an_application_is_not_known_to_the_next_test() {
    run(async {
        let engine = engine().await;
        let look = "SELECT coalesce('<' || current_setting('app.tenant', true) || '>', 'none')";
        for sql in [
            "SET LOCAL app.tenant = '7'",
            "SET SESSION app.tenant TO '7'",
            "SELECT set_config('app.tenant', '7', true)",
            "SELECT \"set_config\"('app.tenant', '7', false)",
            "DO $$ BEGIN PERFORM set_config('app.tenant', '7', false); END $$",
        ] {
            expect_nothing_left(&engine, sql, look, "none").await;
        }
        expect_clean(&engine).await;
        assert_eq!(engine.stats().slots_discarded, 0);
    });
}

#[test]
fn a_setting_that_the_schema_names_is_looked_for_whoever_has_set_it() {
    run(async {
        let sql = "CREATE TABLE u (id bigserial, email text,
              tenant text DEFAULT current_setting('app.tenant', true))";
        let engine = engine_of(Backend::Postgres, Schema::sql(sql)).await;
        for _ in 0..3 {
            let test = begin(&engine).await;
            let db = test.connection();
            let tx = db.begin().await.unwrap();
            // Seen by the server alone, between statements that are seen.
            insert(&tx, "first").await.unwrap();
            let left = "SELECT count(*) FROM u WHERE tenant IS NULL";
            assert_eq!(number(&tx, left).await, 2);
            tx.execute_unprepared("SET LOCAL app.tenant = '7'")
                .await
                .unwrap();
            insert(&tx, "after").await.unwrap();
            tx.commit().await.unwrap();
            drop(db);
            finish(test).await;
        }
    });
}

#[test]
fn what_a_trigger_sets_is_not_known_to_the_next_test() {
    run(async {
        let sql = "CREATE TABLE u (id bigserial, email text);
            CREATE FUNCTION note() RETURNS void LANGUAGE sql AS $$ SELECT set_config('app.noted', '1', true) $$;
            CREATE FUNCTION noting() RETURNS trigger LANGUAGE plpgsql AS $$
              BEGIN PERFORM note(); RETURN NEW; END $$;
            CREATE TRIGGER noting BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION noting()";
        let engine = engine_of(Backend::Postgres, Schema::sql(sql)).await;
        for _ in 0..3 {
            let test = begin(&engine).await;
            let db = test.connection();
            let look = "SELECT count(*) FROM u WHERE current_setting('app.noted', true) IS NULL";
            insert(&db, "x").await.unwrap();
            assert_eq!(number(&db, look).await, 0);
            drop(db);
            finish(test).await;
            let next = engine.transaction_for("next").await.unwrap();
            let look = "SELECT (current_setting('app.noted', true) IS NULL)::int::bigint";
            assert_eq!(number(&next.connection(), look).await, 1);
            finish(next).await;
        }
    });
}

#[test]
fn a_seed_is_forgotten() {
    run(async {
        let engine = engine().await;
        let after_seed = {
            let test = begin(&engine).await;
            let db = test.connection();
            send(&db, 0, "SELECT setseed(0.5)").await;
            let found = text(&db, "SELECT random()::text").await;
            drop(db);
            finish(test).await;
            found
        };
        for way in 0..WAYS {
            let test = begin(&engine).await;
            send(&test.connection(), way, "SELECT setseed(0.5)").await;
            finish(test).await;
            let next = begin(&engine).await;
            let found = text(&next.connection(), "SELECT random()::text").await;
            assert_ne!(found, after_seed, "{way}");
            finish(next).await;
        }
    });
}

#[test]
fn the_last_number_of_a_sequence_is_forgotten() {
    run(async {
        let engine = engine().await;
        for way in 0..WAYS {
            let test = begin(&engine).await;
            send(&test.connection(), way, "SELECT nextval('u_id_seq')").await;
            finish(test).await;
            let next = engine.transaction_for("next").await.unwrap();
            for look in ["SELECT lastval()", "SELECT currval('u_id_seq')"] {
                let db = next.connection();
                let refused = db.execute_raw(statement(look)).await.unwrap_err();
                assert!(refused.to_string().contains("not yet defined"), "{refused}");
            }
            finish(next).await;
        }
        expect_clean(&engine).await;
    });
}

#[test]
fn a_sequence_at_its_end_has_room_again_in_the_next_test() {
    run(async {
        let sql = "CREATE TABLE u (id smallserial, email text, n serial);
            CREATE SEQUENCE small MAXVALUE 10; CREATE SEQUENCE down INCREMENT -1 MINVALUE -5";
        let engine = engine_of(Backend::Postgres, Schema::sql(sql)).await;
        for sql in [
            "SELECT setval('u_id_seq', 32767), setval('small', 10), setval('down', -5)",
            "SELECT count(nextval('small')), count(nextval('down')) FROM generate_series(1, 4)",
            "SELECT setval('u_n_seq', 2147483647), count(nextval('u_id_seq')) FROM generate_series(1, 9000)",
        ] {
            for way in 0..WAYS {
                let test = begin(&engine).await;
                send(&test.connection(), way, sql).await;
                finish(test).await;
            }
            let next = begin(&engine).await;
            let db = next.connection();
            insert(&db, "has room").await.unwrap();
            let room = "SELECT nextval('small') + nextval('u_n_seq') + nextval('u_id_seq')";
            assert!(number(&db, room).await < 30_000, "{sql}");
            number(&db, "SELECT nextval('down')").await;
            drop(db);
            finish(next).await;
        }
        assert_eq!(engine.stats().slots_discarded, 0);
    });
}

#[test]
fn a_commit_after_constraints_were_made_immediate_is_reported() {
    run(async {
        let engine = engine().await;
        for way in [0, 4] {
            let test = begin(&engine).await;
            let db = test.connection();
            let sql = "SET CONSTRAINTS ALL IMMEDIATE; COMMIT";
            match way {
                0 => drop(db.execute_unprepared(sql).await.unwrap_err()),
                _ => {
                    let pool = db.get_postgres_connection_pool();
                    sqlx::raw_sql(sql).execute(pool).await.unwrap_err();
                }
            }
            drop(db);
            let told = caught(&engine, test).await;
            assert!(told.contains(&format!("by: `{sql}`")), "{told}");
        }
    });
}

#[test]
fn a_savepoint_that_is_set_again_hides_no_commit() {
    run(async {
        let engine = engine().await;
        for way in [0, 4] {
            let test = begin(&engine).await;
            let db = test.connection();
            // What another session can read of this one.
            let seen = "SELECT coalesce(substring(query FROM 'green_light_[0-9a-f]{16}'), '') \
                        FROM pg_stat_activity WHERE pid = $1";
            let pid: i64 = number(&db, "SELECT pg_backend_pid()::bigint").await;
            let url = test.session().url().expose().to_owned();
            let other = sqlx::PgPool::connect(&url).await.unwrap();
            let savepoint: String = loop {
                let seen = sqlx::query_scalar(seen).bind(i32::try_from(pid).unwrap());
                let seen: String = seen.fetch_one(&other).await.unwrap();
                if seen.starts_with("green_light") {
                    break seen;
                }
            };
            other.close().await;
            let sql = format!(
                "ROLLBACK; BEGIN READ WRITE; INSERT INTO u (email) VALUES ('committed'); COMMIT; \
                 BEGIN READ WRITE; SAVEPOINT {savepoint}"
            );
            match way {
                0 => drop(db.execute_unprepared(&sql).await.unwrap()),
                _ => {
                    let pool = db.get_postgres_connection_pool();
                    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
                        .execute(pool)
                        .await
                        .unwrap();
                }
            }
            drop(db);
            let told = caught(&engine, test).await;
            assert!(
                told.contains("ended the transaction that isolates it"),
                "{told}"
            );
        }
    });
}

#[test]
fn what_a_pool_of_its_own_commits_is_told_and_reaches_no_later_test() {
    run(async {
        let engine = engine().await;
        for sql in [
            "INSERT INTO u (email) VALUES ('committed')",
            "UPDATE u SET email = 'committed'",
            "DELETE FROM u",
            "CREATE TABLE left_over (x int)",
            "SELECT lo_create(0)",
        ] {
            for is_used in [true, false] {
                let test = engine.transaction_for("shop::test").await.unwrap();
                if is_used {
                    assert_eq!(count(&test.connection()).await, 1);
                }
                let url = test.session().url().expose().to_owned();
                let own = sqlx::PgPool::connect(&url).await.unwrap();
                let text = format!("BEGIN READ WRITE; {sql}; COMMIT");
                sqlx::raw_sql(sqlx::AssertSqlSafe(text))
                    .execute(&own)
                    .await
                    .unwrap();
                own.close().await;
                let told = test.finish().await.unwrap_err();
                assert!(told.is_breach(), "{told}");
                let told = told.to_string();
                assert!(told.contains("on a connection of its own"), "{told}");
                expect_clean(&engine).await;
            }
        }
    });
}

#[test]
fn a_test_that_sends_what_is_known_keeps_its_session() {
    run(async {
        let engine = engine().await;
        let session = "SELECT pg_backend_pid()::bigint";
        let first = begin(&engine).await;
        let pid = number(&first.connection(), session).await;
        finish(first).await;
        for _ in 0..3 {
            let test = begin(&engine).await;
            let db = test.connection();
            insert(&db, "a").await.unwrap();
            insert(&db, "a").await.unwrap_err();
            let tx = db.begin().await.unwrap();
            insert(&tx, "b").await.unwrap();
            let nested = tx.begin().await.unwrap();
            insert(&nested, "c").await.unwrap();
            nested.rollback().await.unwrap();
            tx.commit().await.unwrap();
            test.session()
                .execute_unprepared("UPDATE u SET email = 'd' WHERE email = 'b'; TRUNCATE u")
                .await
                .unwrap();
            let script = "INSERT INTO u (email) VALUES ('e');\nDELETE FROM u";
            test.session().run_script("rows", script).await.unwrap();
            assert_eq!(number(&db, session).await, pid);
            drop(db);
            finish(test).await;
        }
    });
}
