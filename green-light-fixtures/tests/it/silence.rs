//! A server that falls silent at some message of a process, as a stopped one does or a network that
//! swallows: the process ends by itself and says what it waited for, and the next one minds nothing.

use std::{path::Path, process::Command, sync::Mutex, thread, time::Duration};

use green_light_fixtures::{Backend, Engine, Error, Isolation, Schema, Session};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

use crate::{
    checkout::Checkout,
    children::{Partner, one_of, output, part, said, say, wait_for_a_line},
    proxied::Proxied,
    proxy::{At, Proxy, When},
    role::Role,
    support::{On, run, text},
};

on_each_server!(
    a_server_that_falls_silent_at_any_message_holds_up_nobody,
    a_server_that_is_stopped_is_told_and_goes_on_later,
);

/// More messages than a process sends.
const MANY: usize = 2_000;
/// Of how many messages one is tried; a process waits at each.
const EVERY: usize = 47;
/// How long the server may say nothing, in seconds: more than it ever does on a machine at work.
const WAIT: &str = "2";
/// The same for what a test waits for.
const OF_A_TEST: Duration = Duration::from_secs(3);

async fn engine(backend: Backend) -> Result<Engine, Error> {
    async fn seed(db: &DatabaseConnection) -> Result<(), DbErr> {
        db.execute_unprepared("INSERT INTO seeded VALUES (1)")
            .await
            .map(drop)
    }
    // With a key that is looked at last, so that the end of a test waits for an answer.
    let deferred = match backend {
        Backend::Postgres => " DEFERRABLE INITIALLY DEFERRED",
        _ => "",
    };
    let sql = format!(
        "CREATE TABLE one (x INT PRIMARY KEY); CREATE TABLE two (x INT, \
         FOREIGN KEY (x) REFERENCES one (x){deferred}); CREATE TABLE seeded (x INT)"
    );
    Engine::builder()
        .backend(backend)
        .schema(Schema::sql(sql).seed(seed).key("fixed"))
        .connection_timeout(OF_A_TEST)
        .teardown_timeout(OF_A_TEST)
        .build()
        .await
}

/// What a test asks itself, and no longer than its own time allows.
async fn body(session: &Session) -> Result<(), String> {
    let asking = async {
        let sql = "INSERT INTO one VALUES (7)";
        let sql = Statement::from_string(session.backend().dialect(), sql);
        session.execute_raw(sql).await?;
        let sql = "SELECT count(*) FROM seeded";
        let sql = Statement::from_string(session.backend().dialect(), sql);
        session.query_one_raw(sql).await
    };
    match tokio::time::timeout(OF_A_TEST, asking).await {
        Ok(Ok(row)) => {
            let rows: i64 = row.unwrap().try_get_by_index(0).unwrap();
            assert_eq!(rows, 1);
            Ok(())
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the time of the test is over".to_owned()),
    }
}

/// A test of each kind, twice, and what went wrong.
async fn tests(backend: Backend) -> Result<(), String> {
    let told = |error: Error| format!("{error:?}");
    let engine = engine(backend).await.map_err(told)?;
    let mut failures = Vec::new();
    for isolation in [
        Isolation::Transaction,
        Isolation::Database,
        Isolation::Shared,
    ]
    .repeat(2)
    {
        match engine.session(isolation).await {
            Ok(session) => {
                failures.extend(body(&session).await.err());
                failures.extend(session.finish().await.map_err(told).err());
            }
            Err(error) => failures.push(told(error)),
        }
        // What comes after a failure fails as well; that it does so in time is another test's matter.
        if failures.len() > 1 {
            break;
        }
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(failures.join("\n")),
    }
}

/// Falls silent at one of the messages of a process. The message, unless it sends less.
fn one_step(proxy: &Proxy, mut command: Command, at: At) -> Option<String> {
    command.env("GREEN_LIGHT_WAIT", WAIT);
    let (message, output) = proxy.run_in_silence(command);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let Some(message) = message else {
        assert!(output.status.success(), "{said}");
        return None;
    };
    // By the wait itself, or by the end of the process if that was over first.
    let is_told = [" said nothing for ", " are not dropped yet; "];
    let is_told = is_told.iter().any(|told| said.contains(told));
    assert!(is_told, "{at:?}: {message}: {said}");
    assert!(!said.contains("secret"), "{at:?}: {message}: {said}");
    if let At::Text(_) = at {
        assert!(!output.status.success(), "{at:?}: {message}: {said}");
    }
    Some(message)
}

/// Whichever message it is: those by number, of a few, and those by text.
fn at_many(texts: &'static [&'static str], workers: usize, step: impl Fn(At) -> bool + Sync) {
    let numbers = (0..MANY).step_by(one_of(EVERY)).map(At::Number);
    let steps = Mutex::new(texts.iter().copied().map(At::Text).chain(numbers));
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(at) = { steps.lock().unwrap().next() } {
                    let sent = step(at);
                    if let At::Text(text) = at {
                        assert!(sent, "nobody sends `{text}`");
                    } else if !sent {
                        // It came to its end, and so does whoever waits for a later one.
                        steps.lock().unwrap().nth(MANY);
                        break;
                    }
                }
            });
        }
    });
}

fn a_server_that_falls_silent_at_any_message_holds_up_nobody(on: On) {
    if part().is_some() {
        return run(tests(on.backend)).unwrap();
    }
    let texts: &[_] = match on.backend {
        Backend::Postgres => &[
            "CREATE DATABASE \"green_light_",
            "CREATE TABLE green_light.template",
            "INSERT INTO green_light.process ",
            "UPDATE green_light.template t SET used",
            "CREATE DATABASE \"gl_b_",
            "CREATE TABLE two",
            "INSERT INTO seeded",
            "RENAME TO \"gl_t_",
            "INSERT INTO green_light.guard",
            "UPDATE green_light.database d SET state = 'taken'",
            "SELECT green_light.check_session(",
            "FROM pg_prepared_xacts",
            "ALTER DATABASE \"gl_d_",
        ],
        _ => &[
            "CREATE DATABASE IF NOT EXISTS green_light",
            "REPLACE INTO green_light.processes",
            "GET_LOCK('green_light.template.",
            "CREATE DATABASE `gl_t_",
            "CREATE TABLE two",
            "INSERT INTO seeded",
            "REPLACE INTO green_light.templates",
            "CREATE DATABASE `gl_d_",
            "SET SESSION TRANSACTION READ ONLY",
            "ROLLBACK; START TRANSACTION READ WRITE",
            "LOCK TABLES",
            "DROP DATABASE IF EXISTS `gl_d_",
        ],
    };
    let server = Proxied::start(on);
    at_many(texts, server.most(), |at| {
        let silent = |proxy: &Proxy, command| one_step(proxy, command, at);
        server
            .leaving_nothing((at, When::Silent), "silent", silent)
            .is_some()
    });
    server.end();
}

#[test]
fn a_schema_that_takes_long_is_told_and_not_cut_short() {
    let test = "silence::a_schema_that_takes_long_is_told_and_not_cut_short";
    if part().is_some() {
        let schema = Schema::sql("CREATE TABLE one (x INT); SELECT pg_sleep(4)");
        let building = Engine::builder().backend(Backend::Postgres).schema(schema);
        return run(building.build()).map(drop).unwrap();
    }
    let role = run(Role::new());
    let mut child = role.playing(test, "build");
    let output = output(child.env("GREEN_LIGHT_WAIT", "1.5").spawn().unwrap());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let told = " s: waiting for the schema made at green-light-fixtures/tests/it/silence.rs:";
    assert!(said.contains(told), "{said}");
    run(role.drop());
}

/// Where the server of a session keeps its data, and its processes, of which the server itself is the first.
async fn processes(session: &Session) -> String {
    if session.backend() == Backend::Postgres {
        let of = "SELECT concat_ws(' ', current_setting('data_directory'), \
                  (regexp_split_to_array(pg_read_file('postmaster.pid'), E'\\n'))[1], string_agg(pid::text, ' ')) \
                  FROM pg_stat_activity";
        return text(&**session, of).await;
    }
    let data = text(&**session, "SELECT @@datadir").await;
    let file = text(&**session, "SELECT @@pid_file").await;
    let process = std::fs::read_to_string(file).unwrap();
    format!("{data} {}", process.trim())
}

/// What a process says while its server stands still, and after that.
async fn stopped(backend: Backend) {
    let engine = engine(backend).await.unwrap();
    let session = engine.session(Isolation::Database).await.unwrap();
    body(&session).await.unwrap();
    let other = engine.session(Isolation::Transaction).await.unwrap();
    body(&other).await.unwrap();
    say("processes", &processes(&session).await);
    wait_for_a_line();
    let ends = session.finish().await.map_err(|error| format!("{error:?}"));
    let rolls_back = other.finish().await.map_err(|error| format!("{error:?}"));
    let next = engine.session(Isolation::Database).await.unwrap_err();
    let told = format!("{ends:?}; {rolls_back:?}; {next:?}");
    say("told", &told.replace('\n', " "));
    wait_for_a_line();
}

/// Stops the server of a process, and lets it go on when the process has ended.
fn a_server_that_is_stopped_is_told_and_goes_on_later(on: On) {
    match part().as_deref() {
        Some("stopped") => return run(stopped(on.backend)),
        Some(_) => return run(tests(on.backend)).unwrap(),
        None => {}
    }
    let told_of = match on.backend {
        Backend::Postgres => "PostgreSQL at `",
        _ => "MySQL at `",
    };
    let checkout = Checkout::new();
    let mut child = checkout.playing(on.test, "stopped");
    let mut child = Partner::start(child.env("GREEN_LIGHT_WAIT", WAIT));
    let heard = child.hear("processes");
    let (data, processes) = heard.split_once(' ').unwrap();
    let signal = |name: &str| {
        for (at, process) in processes.split(' ').enumerate() {
            let kill = Command::new("kill").args([name, process]).status();
            // One that made a database ahead may have ended. The server itself has not.
            let has_ended = at > 0 && !Path::new("/proc").join(process).exists();
            assert!(kill.unwrap().success() || has_ended, "{name} {process}");
        }
    };
    signal("-STOP");
    child.tell("it stands still");
    let told = child.hear("told");
    child.tell("end");
    child.end();
    signal("-CONT");
    said(checkout.playing(on.test, "next").spawn().unwrap());
    checkout.end(data.as_ref());
    assert!(told.contains(told_of), "{told}");
    assert!(
        told.contains(" said nothing for 2 s; waited for "),
        "{told}"
    );
    assert!(told.contains("`GREEN_LIGHT_WAIT=60`"), "{told}");
}
