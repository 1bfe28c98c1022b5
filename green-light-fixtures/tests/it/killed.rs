//! `kill -9` of a process at every message that it sends to a server: while it builds a template, makes
//! databases of it, hands one out, and clears away.

use std::{sync::Mutex, thread};

use green_light_fixtures::{Backend, Isolation, Schema};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};

use crate::{
    children::{one_of, part, say},
    proxied::Proxied,
    proxy::{At, When},
    support::{On, number, run},
};

on_each_server!(a_process_killed_at_any_of_its_messages_leaves_nothing_that_the_next_one_minds);

/// More messages than a process sends.
const MANY: usize = 1_000;
/// Of how many messages one is tried.
const EVERY: usize = 6;

/// Three migrations and a seed, and on PostgreSQL a setting of the database itself.
async fn one_test(on: On) {
    async fn seed(db: &DatabaseConnection) -> Result<(), DbErr> {
        let rows = "INSERT INTO seeded VALUES (1), (2)";
        db.execute_unprepared(rows).await?;
        if db.get_database_backend() == DbBackend::Postgres {
            let here = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem TO %L', \
                        current_database(), '7MB'); END $$";
            db.execute_unprepared(here).await?;
        }
        Ok(())
    }
    let id = match on.backend {
        Backend::Postgres => "INT GENERATED ALWAYS AS IDENTITY",
        _ => "INT AUTO_INCREMENT PRIMARY KEY",
    };
    let sql = format!(
        "CREATE TABLE one (x INT); INSERT INTO one VALUES (1); \
         CREATE TABLE two (x INT); INSERT INTO two VALUES (1), (2); CREATE TABLE seeded (x INT); \
         CREATE TABLE counted (id {id}, x INT)"
    );
    let schema = Schema::sql(sql).seed(seed).key("fixed");
    let engine = on.engine_of(schema).await;
    let sandboxed = engine.session(Isolation::Transaction).await.unwrap();
    let counted = "INSERT INTO counted (x) VALUES (1)";
    sandboxed.execute_unprepared(counted).await.unwrap();
    sandboxed.finish().await.unwrap();
    let session = engine.session(Isolation::Database).await.unwrap();
    let found = "SELECT (SELECT count(*) FROM one) * 100 + (SELECT count(*) FROM two) * 10 \
                 + (SELECT count(*) FROM seeded)";
    assert_eq!(number(&session, found).await, 122);
    if on.backend == Backend::Postgres {
        let mark = "SELECT count(*) FROM pg_settings WHERE name = 'work_mem' AND setting = '7168'";
        assert_eq!(number(&session, mark).await, 1);
    }
    session.finish().await.unwrap();
}

/// What is among the messages to PostgreSQL.
const TO_POSTGRES: &[&str] = &[
    "CREATE DATABASE \"green_light_",
    "CREATE TABLE green_light.template",
    "pg_try_advisory_lock(hashtextextended(",
    "INSERT INTO green_light.database",
    "CREATE DATABASE \"gl_b_",
    "COMMENT ON DATABASE \"gl_b_",
    "CREATE TABLE one",
    "CREATE TABLE two",
    "INSERT INTO seeded",
    "SET work_mem TO",
    "ALLOW_CONNECTIONS false IS_TEMPLATE true",
    "pg_terminate_backend",
    "RENAME TO \"gl_t_",
    "DELETE FROM green_light.database",
    "CREATE DATABASE \"gl_d_",
    "COMMENT ON DATABASE \"gl_d_",
    "INSERT INTO green_light.template",
    "UPDATE green_light.database d SET state = 'taken'",
    "UPDATE green_light.database SET state = 'done'",
    "SELECT green_light.reset_sequences(false)",
    "UPDATE green_light.database SET state = 'free', owner = NULL, test",
    "DROP DATABASE IF EXISTS \"gl_d_",
    "pg_advisory_unlock_all()",
];

/// What is among the messages to MySQL.
const TO_MYSQL: &[&str] = &[
    "CREATE DATABASE IF NOT EXISTS green_light",
    "REPLACE INTO green_light.processes",
    "GET_LOCK('green_light.template.",
    "INSERT INTO green_light.test_databases",
    "CREATE DATABASE `gl_t_",
    "CREATE TABLE one",
    "CREATE TABLE two",
    "INSERT INTO seeded",
    "REPLACE INTO green_light.templates",
    "CREATE DATABASE `gl_d_",
    "SET state = 'taken'",
    "SET state = 'done'",
    "AUTO_INCREMENT = 1",
    "SET state = 'used'",
    "DROP DATABASE IF EXISTS `gl_d_",
    "RELEASE_ALL_LOCKS",
];

fn a_process_killed_at_any_of_its_messages_leaves_nothing_that_the_next_one_minds(on: On) {
    if part().is_some() {
        return run(one_test(on));
    }
    let server = Proxied::start(on);
    let steps = match on.backend {
        Backend::Postgres => TO_POSTGRES,
        _ => TO_MYSQL,
    };
    let one_step =
        |at, when| server.leaving_nothing((at, when), "killed", |proxy, victim| proxy.run(victim));
    let mut killed_at = Vec::new();
    let every = one_of(EVERY);
    for (when, first) in [(When::Before, 0), (When::During, every / 2)] {
        let numbers = Mutex::new((first..MANY).step_by(every));
        let found = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..server.most() {
                scope.spawn(|| {
                    while let Some(number) = { numbers.lock().unwrap().next() } {
                        let Some(message) = one_step(At::Number(number), when) else {
                            // It came to its end, and so does a process that is killed later.
                            numbers.lock().unwrap().nth(MANY);
                            break;
                        };
                        found.lock().unwrap().push(message);
                    }
                });
            }
        });
        let found = found.into_inner().unwrap();
        say(&format!("killed {when:?}"), &found.len().to_string());
        killed_at.extend(found);
    }
    for step in steps {
        // A number may have missed it, also where several connections are used.
        if !killed_at.iter().any(|message| message.contains(step)) {
            let killed = one_step(At::Text(step), When::Before).is_some();
            assert!(killed, "nobody sends `{step}`");
        }
    }
    server.end();
}
