//! Tests of one name in two modules, and a test with two engines, where connections are few: which test has some
//! is known by its whole path.

use std::{
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use green_light_fixtures::{
    Backend, Engine, Error, Isolation, Session,
    fixtures::{engine, session},
};

use crate::{
    children::{part, said},
    own_server::OwnServer,
    support::On,
};

on_each_server!(
    a_test_waits_for_its_namesake_in_another_module,
    a_second_engine_of_a_test_does_not_wait_for_its_first,
);

/// How many connections a test gets if there are as many.
const OF_A_TEST: u32 = 5;

/// How many tests have begun to ask for their databases, and how many have had one.
static ASKING: AtomicUsize = AtomicUsize::new(0);
static CONNECTED: AtomicUsize = AtomicUsize::new(0);

/// Waits in a process of these tests, whatever runs those that are ignored.
async fn until(counter: &AtomicUsize, wanted: usize) {
    while part().is_some() && counter.load(Ordering::Relaxed) < wanted {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The second test goes on once the first has its database.
#[green_light::fixture]
async fn asking(engine: &Engine) {
    let _is_built = engine.stats();
    let before = ASKING.fetch_add(1, Ordering::Relaxed);
    until(&CONNECTED, before).await;
}

/// How many connections the session may open.
fn connections(session: &Session) -> u32 {
    match session.backend() {
        Backend::Postgres => session.postgres_pool().options().get_max_connections(),
        _ => session.mysql_pool().options().get_max_connections(),
    }
}

/// Has all connections that there are for tests, while the other test asks for as many.
async fn has_all_connections(session: &Session) {
    CONNECTED.fetch_add(1, Ordering::Relaxed);
    until(&ASKING, 2).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(connections(session), OF_A_TEST);
}

mod one {
    use super::{Session, asking, has_all_connections, session};

    #[green_light::test(isolation = database, backends(postgres, mysql), uses(asking))]
    #[ignore = "a part of `a_test_waits_for_its_namesake_in_another_module`"]
    async fn pays(session: Session) {
        has_all_connections(&session).await;
    }
}

mod other {
    use super::{Session, asking, has_all_connections, session};

    #[green_light::test(isolation = database, backends(postgres, mysql), uses(asking))]
    #[ignore = "a part of `a_test_waits_for_its_namesake_in_another_module`"]
    async fn pays(session: Session) {
        has_all_connections(&session).await;
    }
}

#[green_light::test(isolation = database, backends(postgres, mysql), timeout = "60s")]
#[ignore = "a part of `a_second_engine_of_a_test_does_not_wait_for_its_first`"]
async fn archives(engine: &Engine, session: Session) -> Result<(), Error> {
    assert_eq!(connections(&session), OF_A_TEST);
    let archive = engine.session(Isolation::Database).await?;
    assert_eq!(connections(&archive), 1);
    archive.finish().await
}

/// A process of these tests, for which there are as many connections as for one test.
fn tests(server: &OwnServer, names: &[&str]) -> Command {
    let backend = match server.on().backend {
        Backend::Postgres => "postgres",
        _ => "mysql",
    };
    let mut command = server.playing("tests");
    command.args(["--ignored", "--test-threads=2"]);
    command.args(
        names
            .iter()
            .map(|name| format!("namesakes::{name}::{backend}")),
    );
    // Besides them the process has one, and on MySQL the process that keeps the server.
    let others = 1 + u32::from(server.on().backend == Backend::MySql);
    let connections = (OF_A_TEST + others).to_string();
    command.env("GREEN_LIGHT_CONNECTIONS", connections);
    command
}

fn run_apart(on: On, names: &[&str]) {
    let server = OwnServer::start(on);
    let told = said(tests(&server, names).spawn().unwrap());
    let passed = format!("{} passed", names.len());
    assert!(told.contains(&passed), "{told}");
    server.end();
}

fn a_test_waits_for_its_namesake_in_another_module(on: On) {
    if part().is_none() {
        run_apart(on, &["one::pays", "other::pays"]);
    }
}

fn a_second_engine_of_a_test_does_not_wait_for_its_first(on: On) {
    if part().is_none() {
        run_apart(on, &["archives"]);
    }
}
