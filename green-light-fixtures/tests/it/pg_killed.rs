//! `kill -9` of a process at every message that it sends to PostgreSQL: while it builds a template, puts
//! databases in stock, hands one out, and clears away.

use std::{sync::Mutex, thread};

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use sqlx::{Connection, PgConnection};

use crate::{
    children::{one_of, part, said},
    proxy::{At, Proxy, When, Wire},
    role::Role,
    support::{number, run},
};

/// More messages than a process sends.
const MANY: usize = 1_000;
/// Of how many messages one is tried.
const EVERY: usize = 6;
const WORKERS: usize = 3;

/// Three migrations and a seed, and a setting of the database itself.
async fn one_test() {
    async fn seed(db: &DatabaseConnection) -> Result<(), DbErr> {
        db.execute_unprepared("INSERT INTO seeded VALUES (1), (2)")
            .await?;
        let here = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem TO %L', \
                    current_database(), '7MB'); END $$";
        db.execute_unprepared(here).await.map(drop)
    }
    let sql = "CREATE TABLE one (x int); INSERT INTO one VALUES (1); \
               CREATE TABLE two (x int); INSERT INTO two VALUES (1), (2); CREATE TABLE seeded (x int)";
    let schema = Schema::sql(sql).seed(seed).key("fixed");
    let engine = Engine::builder()
        .backend(Backend::Postgres)
        .schema(schema)
        .build()
        .await
        .unwrap();
    let sandboxed = engine.session(Isolation::Transaction).await.unwrap();
    let one = "INSERT INTO one VALUES (2)";
    sandboxed.execute_unprepared(one).await.unwrap();
    sandboxed.finish().await.unwrap();
    let session: Session = engine.session(Isolation::Database).await.unwrap();
    let found = "SELECT (SELECT count(*) FROM one) * 100 + (SELECT count(*) FROM two) * 10 \
                 + (SELECT count(*) FROM seeded)";
    assert_eq!(number(&session, found).await, 122);
    let mark = "SELECT count(*) FROM pg_settings WHERE name = 'work_mem' AND setting = '7168'";
    assert_eq!(number(&session, mark).await, 1);
    session.finish().await.unwrap();
}

#[test]
fn a_process_killed_at_any_of_its_messages_leaves_nothing_that_the_next_one_minds() {
    let test =
        "pg_killed::a_process_killed_at_any_of_its_messages_leaves_nothing_that_the_next_one_minds";
    if part().is_some() {
        return run(one_test());
    }
    let mut killed_at = Vec::new();
    let every = one_of(EVERY);
    for (when, first) in [(When::Before, 0), (When::During, every / 2)] {
        let steps = Mutex::new((first..MANY).step_by(every));
        let found = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    while let Some(step) = { steps.lock().unwrap().next() } {
                        let Some(message) = one_step(test, At::Number(step), when) else {
                            // It came to its end, and so does whoever is killed later.
                            steps.lock().unwrap().nth(MANY);
                            break;
                        };
                        found.lock().unwrap().push(message);
                    }
                });
            }
        });
        let found = found.into_inner().unwrap();
        println!("{when:?}: killed at {} messages", found.len());
        killed_at.extend(found);
    }
    for step in [
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
        "SELECT green_light.rewind()",
        "UPDATE green_light.database SET state = 'free', owner = NULL, test",
        "DROP DATABASE IF EXISTS \"gl_d_",
        "pg_advisory_unlock_all()",
    ] {
        // A number may have missed it, also where several connections are used.
        if !killed_at.iter().any(|message| message.contains(step)) {
            let killed = one_step(test, At::Text(step), When::Before).is_some();
            assert!(killed, "nobody sends `{step}`");
        }
    }
}

/// Kills a process at one of its messages, and lets another one do the same work after it.
fn one_step(test: &str, at: At, when: When) -> Option<String> {
    let role = run(Role::new());
    let proxy = Proxy::start(Wire::Postgres, &role.upstream(), at, when);
    let killed_at = proxy.run(role.playing_through(test, "killed", proxy.port()));
    said(role.playing(test, "next").spawn().unwrap());
    let mut left = run(leftovers(&role));
    if !left.is_empty() {
        // The server had not noticed yet that the process was gone.
        run(role.alone());
        said(role.playing(test, "last").spawn().unwrap());
        left = run(leftovers(&role));
    }
    assert!(left.is_empty(), "{at:?}, {when:?}: {killed_at:?}: {left:?}");
    run(role.drop());
    killed_at
}

/// What is neither a whole template nor a database that waits for a test.
pub(crate) async fn leftovers(role: &Role) -> Vec<String> {
    let mut maintenance = PgConnection::connect(&role.maintenance()).await.unwrap();
    let found = sqlx::query_scalar(
        "SELECT datname::text || coalesce(' ' || r.state, '') FROM pg_database d \
         LEFT JOIN green_light.template t ON t.name = datname AND datistemplate AND NOT datallowconn \
         LEFT JOIN green_light.database r ON r.name = datname \
         WHERE datdba = $1::regrole AND datname <> current_database() \
           AND t.name IS NULL AND coalesce(r.state, '') <> 'free' \
         UNION ALL SELECT name || ' entered as ' || state FROM green_light.database WHERE state <> 'free'",
    )
    .bind(&role.name)
    .fetch_all(&mut maintenance)
    .await
    .unwrap();
    maintenance.close().await.unwrap();
    found
}
