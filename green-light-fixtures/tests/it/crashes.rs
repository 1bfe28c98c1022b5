//! A server that crashes, or is started again, in the middle of a run: what it has lost of a template is there again in
//! the tests after that, also in those of a process that goes on.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Session};
use sea_orm::{ConnectionTrait as _, DbErr, Statement};
use sqlx::{Connection as _, PgConnection};

use crate::{
    checkout::Checkout,
    children::{LONG, Partner, part, said, say, value, wait_for_a_line},
    restartable::{KILL, Restartable, STOP, keeps},
    support::{On, number, run, text},
};

on_each_server!(what_a_server_loses_is_there_again_in_later_tests_of_a_process_that_goes_on);

/// How many rows the seeds of a schema write.
const ROWS: i64 = 3;

/// A schema with tables that a server may lose rows of.
async fn with_volatile_tables(on: On) -> Engine {
    let (first, second) = match on.backend {
        Backend::Postgres => ("CREATE UNLOGGED TABLE a (x INT)", "CREATE TABLE b (x INT)"),
        _ => (
            "CREATE TABLE a (x INT) ENGINE = MEMORY",
            "CREATE TABLE b (x INT) ENGINE = MyISAM",
        ),
    };
    let rows = "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (3)";
    on.engine(&format!("{first}; {second}; {rows}")).await
}

/// Those that can be had: inside of a transaction, MySQL has tables of InnoDB only.
fn isolations(on: On) -> &'static [Isolation] {
    match on.backend {
        Backend::Postgres => &[
            Isolation::Transaction,
            Isolation::Database,
            Isolation::Shared,
        ],
        _ => &[Isolation::Database, Isolation::Shared],
    }
}

/// How many rows a test finds.
async fn rows(session: &Session) -> Result<i64, DbErr> {
    let sql = "SELECT (SELECT count(*) FROM a) + (SELECT count(*) FROM b)";
    let sql = Statement::from_string(session.backend().dialect(), sql);
    let row = session.query_one_raw(sql).await?;
    row.unwrap().try_get_by_index(0)
}

/// A test with each isolation, each of which finds what the seeds have written.
async fn one_of_each(on: On, engine: &Engine) {
    for isolation in isolations(on) {
        let session = engine.session(*isolation).await.unwrap();
        assert_eq!(rows(&session).await, Ok(ROWS), "{isolation:?}");
        session.finish().await.unwrap();
    }
}

/// After a crash: a test may fail, and none finds less than the seeds have written.
async fn until_one_passes(on: On, engine: &Engine) {
    let begun = Instant::now();
    loop {
        let mut errors = Vec::new();
        for isolation in isolations(on) {
            match engine.session(*isolation).await {
                Ok(session) => match (rows(&session).await, session.finish().await) {
                    (Ok(found), Ok(())) => assert_eq!(found, ROWS, "{isolation:?}"),
                    (_, Err(error)) => errors.push(error.to_string()),
                    (Err(error), _) => errors.push(error.to_string()),
                },
                Err(error) => errors.push(format!("{error:?}")),
            }
        }
        if errors.is_empty() {
            return;
        }
        assert!(begun.elapsed() < LONG, "{errors:?}");
        say("failed", &errors.join(" | "));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the report of a test says that had a database meanwhile.
fn loss(on: On) -> &'static str {
    match on.backend {
        Backend::Postgres => {
            "PostgreSQL has crashed, or was killed, and so has emptied its `UNLOGGED` tables, while test `"
        }
        _ => "MySQL was started again, and so has emptied its tables of the engine `MEMORY`",
    }
}

/// A process in the middle of which its server is killed, and then stopped, and started again each time.
async fn lives(on: On) {
    let engine = with_volatile_tables(on).await;
    let lasting = on.engine("CREATE TABLE lasting (x INT)").await;
    one_of_each(on, &engine).await;
    for (turn, loses) in [true, on.backend != Backend::Postgres]
        .into_iter()
        .enumerate()
    {
        let with_loss = engine.session(Isolation::Database).await.unwrap();
        let without = lasting.session(Isolation::Database).await.unwrap();
        say("ready", &turn.to_string());
        assert!(wait_for_a_line());
        assert_eq!(
            number(&*without, "SELECT count(*) FROM lasting").await,
            0,
            "its pool connects again"
        );
        without.finish().await.unwrap();
        match (loses, with_loss.finish().await) {
            (true, Err(error)) => {
                let error = error.to_string();
                assert!(error.contains(loss(on)), "{error}");
                assert!(error.contains("\n  help: "), "{error}");
            }
            (false, Ok(())) => {}
            (_, other) => panic!("{loses}: {other:?}"),
        }
        until_one_passes(on, &engine).await;
        one_of_each(on, &engine).await;
    }
    say("ended", "well");
}

/// Another process.
async fn comes_later(on: On) {
    let engine = with_volatile_tables(on).await;
    one_of_each(on, &engine).await;
    say("built", &engine.stats().templates_built.to_string());
}

fn what_a_server_loses_is_there_again_in_later_tests_of_a_process_that_goes_on(on: On) {
    match part().as_deref() {
        Some("keeps") => return run(keeps(on)),
        Some("lives") => return run(lives(on)),
        Some(_) => return run(comes_later(on)),
        None => {}
    }
    let mut server = Restartable::start(on);
    let mut living = Partner::start(&mut server.playing("lives"));
    for (signal, loses) in [(KILL, true), (STOP, on.backend != Backend::Postgres)] {
        living.hear("ready");
        server = server.restart(signal);
        let told = said(server.playing("later").spawn().unwrap());
        assert_eq!(value(&told, "built"), u8::from(loses).to_string());
        living.tell("go on");
    }
    assert_eq!(living.hear("ended"), "well");
    living.end();
    server.end();
}

/// Kills the process of one session, upon which PostgreSQL ends all sessions and recovers.
async fn kill_a_session(url: &str) {
    let mut victim = PgConnection::connect(url).await.unwrap();
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut victim)
        .await
        .unwrap();
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
    // Until the server has noticed.
    let asked = sqlx::query("SELECT 1").execute(&mut victim);
    asked.await.unwrap_err();
}

/// A process that alone looks after its server.
async fn goes_through_crashes(on: On) {
    let engine = with_volatile_tables(on).await;
    one_of_each(on, &engine).await;
    for crash in 1..=3 {
        let session = engine.session(Isolation::Database).await.unwrap();
        if crash == 1 {
            let data = text(&*session, "SELECT current_setting('data_directory')").await;
            say("data", &data);
        }
        kill_a_session(session.url().expose()).await;
        until_one_passes(on, &engine).await;
        let error = session.finish().await.unwrap_err().to_string();
        assert!(error.contains(loss(on)), "{error}");
        one_of_each(on, &engine).await;
        assert_eq!(engine.stats().templates_built, 1 + crash);
    }
}

#[test]
fn a_session_that_is_killed_empties_no_template_for_later_tests_of_its_process() {
    let on = On {
        backend: Backend::Postgres,
        test: "crashes::a_session_that_is_killed_empties_no_template_for_later_tests_of_its_process",
    };
    if part().is_some() {
        return run(goes_through_crashes(on));
    }
    let checkout = Checkout::new();
    let mut playing = checkout.playing(on.test, "alone");
    playing.env_remove("GREEN_LIGHT_POSTGRES_URL");
    let said = said(playing.spawn().unwrap());
    checkout.end(value(&said, "data").as_ref());
}
