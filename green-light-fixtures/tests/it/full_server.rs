//! A server that has no connection left: a test waits as long as others get on, also those of other processes. What it
//! is refused says how many connections are needed.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation};
use sea_orm::{
    ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbErr,
    TransactionTrait as _,
};

use crate::{
    children::{Partner, part, say, wait_for_a_line},
    own_server::OwnServer,
    support::{On, engine_on, insert, run, schema_on},
};

on_each_server!(
    a_test_waits_while_sessions_of_others_begin_and_end,
    a_connection_that_is_refused_in_a_test_is_explained_with_the_number_that_is_needed,
    where_connections_are_few_a_test_has_its_own_before_it_starts,
    where_no_connection_comes_back_the_first_test_waits_longest,
);

/// How many connections there are, and how long others have all of them: longer than a test waits without progress.
const CONNECTIONS: i64 = 8;
const FULL: Duration = Duration::from_secs(9);
const CHANGE: Duration = Duration::from_secs(2);

/// A process whose next test finds no connection.
async fn waits(on: On) {
    let engine = engine_on(on.backend).await;
    say("ready", &std::process::id().to_string());
    assert!(wait_for_a_line());
    let session = engine.session(Isolation::Transaction).await.unwrap();
    insert(&*session, "late").await.unwrap();
    session.finish().await.unwrap();
    say("ended", "well");
}

/// Takes connections until there is none for a while.
async fn take_all(url: &str, taken: &mut Vec<DatabaseConnection>) {
    let mut refused = 0;
    while refused < 20 {
        match connect(url).await {
            Ok(connection) => {
                refused = 0;
                taken.push(connection);
            }
            Err(_) => {
                refused += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// All connections that the server has left.
fn all_of(url: &str) -> Vec<DatabaseConnection> {
    let mut taken = Vec::new();
    run(take_all(url, &mut taken));
    assert!(!taken.is_empty());
    taken
}

fn close(taken: Vec<DatabaseConnection>) {
    for connection in taken {
        run(connection.close()).unwrap();
    }
}

/// Of a database that is there.
fn url_of(server: &OwnServer, on: On) -> String {
    server.url_of(match on.backend {
        Backend::Postgres => "postgres",
        _ => "green_light",
    })
}

async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url.to_owned());
    options.max_connections(1).sqlx_logging(false);
    options.acquire_timeout(Duration::from_millis(100));
    Database::connect(options).await
}

fn signal(name: &str, process: &str) {
    let sent = Command::new("kill").args([name, process]).status();
    assert!(sent.unwrap().success());
}

fn a_test_waits_while_sessions_of_others_begin_and_end(on: On) {
    if part().is_some() {
        return run(waits(on));
    }
    let server = OwnServer::alone(on);
    server.limit_connections(CONNECTIONS);
    let mut waiting = Partner::start(&mut server.playing("waits"));
    let process = waiting.hear("ready");
    let url = url_of(&server, on);
    let mut taken = all_of(&url);
    waiting.tell("go");
    let begun = Instant::now();
    while begun.elapsed() < FULL {
        thread::sleep(CHANGE);
        // It must not be faster.
        signal("-STOP", &process);
        run(async {
            taken.remove(0).close().await.unwrap();
            take_all(&url, &mut taken).await;
        });
        signal("-CONT", &process);
    }
    close(taken);
    assert_eq!(waiting.hear("ended"), "well");
    waiting.end();
    server.end();
}

/// How many connections a server has on which those of a test are opened as it needs them.
const MANY: i64 = 30;

/// A process with a test that needs several connections once the server has none left.
async fn needs_several(on: On, part: &str) {
    let engine = Engine::builder()
        .backend(on.backend)
        .schema(schema_on(on.backend))
        .connection_timeout(Duration::from_secs(2));
    let engine = engine.build().await.unwrap();
    let session = engine.session(Isolation::Database).await.unwrap();
    let begun = session.begin().await.unwrap();
    insert(&begun, "of the transaction").await.unwrap();
    say("ready", "now");
    assert!(wait_for_a_line());
    let other = session.execute_unprepared("SELECT 1").await;
    begun.commit().await.unwrap();
    session.finish().await.unwrap();
    match part {
        "opened before" => drop(other.unwrap()),
        _ => {
            let told = other.unwrap_err().to_string();
            let needed = format!(
                " gives this user {MANY} connections, and the tests that run now need {} or more: all were in use",
                MANY + 1
            );
            assert!(told.contains(&needed), "{told}");
            let help = "\n  help: let pools that tests open from `session.url()` be small";
            assert!(told.contains(help), "{told}");
        }
    }
    say("ended", "well");
}

/// Takes all connections of a server that has `connections`, while a test has one of several.
fn take_all_beside_a_test(on: On, connections: i64, playing: &str) {
    if let Some(part) = part() {
        return run(needs_several(on, &part));
    }
    let server = OwnServer::alone(on);
    server.limit_connections(connections);
    let mut needing = Partner::start(&mut server.playing(playing));
    needing.hear("ready");
    let taken = all_of(&url_of(&server, on));
    needing.tell("go");
    assert_eq!(needing.hear("ended"), "well");
    close(taken);
    needing.end();
    server.end();
}

fn a_connection_that_is_refused_in_a_test_is_explained_with_the_number_that_is_needed(on: On) {
    take_all_beside_a_test(on, MANY, "opened late");
}

fn where_connections_are_few_a_test_has_its_own_before_it_starts(on: On) {
    take_all_beside_a_test(on, CONNECTIONS, "opened before");
}

/// A process whose tests find no connection.
async fn is_refused(on: On) {
    let engine = engine_on(on.backend).await;
    say("ready", "now");
    assert!(wait_for_a_line());
    for seconds in ["6.0", "1.5", "0.4", "0.4"] {
        let refused = engine.session(Isolation::Transaction).await.unwrap_err();
        let waited = format!("and no test returned one for {seconds} s");
        let told = format!("{refused:?}");
        assert!(told.contains(&waited), "{told}");
    }
    say("ended", "well");
}

fn where_no_connection_comes_back_the_first_test_waits_longest(on: On) {
    if part().is_some() {
        return run(is_refused(on));
    }
    let server = OwnServer::alone(on);
    server.limit_connections(CONNECTIONS);
    let mut refused = Partner::start(&mut server.playing("is refused"));
    refused.hear("ready");
    let taken = all_of(&url_of(&server, on));
    refused.tell("go");
    assert_eq!(refused.hear("ended"), "well");
    close(taken);
    refused.end();
    server.end();
}
