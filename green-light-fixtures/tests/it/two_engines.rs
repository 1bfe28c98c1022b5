//! Two engines on one server in one test: it gets the connections of the second without waiting for tests
//! that may be waiting for its first. And a test that waits for connections, one of which an idle slot of its
//! own process has.

use std::process::Command;

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::ConnectionTrait;

use crate::{
    children::{Partner, part, said, say, wait_for_a_line},
    own_server::OwnServer,
    support::{On, number, run},
};

on_each_server!(
    two_processes_with_two_engines_do_not_wait_for_each_other,
    two_processes_that_build_a_second_template_do_not_wait_for_each_other,
    two_processes_that_share_databases_do_not_wait_for_each_other,
    an_idle_slot_keeps_no_connection_from_a_test,
);

async fn engine(backend: Backend, table: &str) -> Engine {
    Engine::builder()
        .backend(backend)
        .schema(Schema::sql(format!("CREATE TABLE {table} (x int)")))
        .build()
        .await
        .unwrap()
}

async fn use_it(session: &Session, table: &str) {
    let insert = format!("INSERT INTO {table} VALUES (1)");
    session.execute_unprepared(&insert).await.unwrap();
    let count = format!("SELECT count(*) FROM {table}");
    assert_eq!(number(&**session, &count).await, 1);
}

/// Has the connections of one engine, and asks for those of another when told to.
async fn test_of(backend: Backend) {
    let (first, second) = (engine(backend, "one").await, engine(backend, "two").await);
    let one = first.session(Isolation::Database).await.unwrap();
    use_it(&one, "one").await;
    say("first", "yes");
    assert!(wait_for_a_line());
    let two = second.session(Isolation::Database).await.unwrap();
    use_it(&two, "two").await;
    say("second", "yes");
    assert!(wait_for_a_line());
    two.finish().await.unwrap();
    one.finish().await.unwrap();
}

/// Has the connections of one engine, as many as a test gets, and builds another when told to.
async fn builder_of(backend: Backend) {
    let first = engine(backend, "one").await;
    let mut sessions = Vec::new();
    for _ in 0..5 {
        let session = first.session(Isolation::Transaction).await.unwrap();
        use_it(&session, "one").await;
        sessions.push(session);
    }
    say("first", "yes");
    assert!(wait_for_a_line());
    let second = engine(backend, "two").await;
    for isolation in [Isolation::Transaction, Isolation::Database] {
        let session = second.session(isolation).await.unwrap();
        use_it(&session, "two").await;
        session.finish().await.unwrap();
    }
    say("second", "yes");
    assert!(wait_for_a_line());
    for session in sessions {
        session.finish().await.unwrap();
    }
}

/// Shares a database in one test, and needs one of its own in another one when told to.
async fn sharer_of(backend: Backend) {
    let engine = engine(backend, "one").await;
    let one = engine.session(Isolation::Shared).await.unwrap();
    use_it(&one, "one").await;
    one.finish().await.unwrap();
    say("first", "yes");
    assert!(wait_for_a_line());
    let two = engine.session(Isolation::Database).await.unwrap();
    use_it(&two, "one").await;
    say("second", "yes");
    assert!(wait_for_a_line());
    two.finish().await.unwrap();
}

/// On a server where they have all connections.
fn two_processes(on: On) {
    let server = OwnServer::start(on);
    let mut both: Vec<_> = (0..2)
        .map(|_| {
            let mut partner = Partner::start(&mut with_connections(&server, 12));
            partner.hear("first");
            partner
        })
        .collect();
    for partner in &mut both {
        partner.tell("go on");
    }
    for partner in &mut both {
        partner.hear("second");
    }
    for mut partner in both {
        partner.tell("end");
        partner.end();
    }
    server.end();
}

/// A process on a server that has so many connections for tests.
fn with_connections(server: &OwnServer, connections: usize) -> Command {
    // On MySQL the process that keeps the server has one.
    let others = usize::from(server.on().backend == Backend::MySql);
    let mut command = server.playing("test");
    command.env(
        "GREEN_LIGHT_CONNECTIONS",
        (connections + others).to_string(),
    );
    command
}

fn two_processes_with_two_engines_do_not_wait_for_each_other(on: On) {
    match part() {
        Some(_) => run(test_of(on.backend)),
        None => two_processes(on),
    }
}

fn two_processes_that_build_a_second_template_do_not_wait_for_each_other(on: On) {
    match part() {
        Some(_) => run(builder_of(on.backend)),
        None => two_processes(on),
    }
}

fn two_processes_that_share_databases_do_not_wait_for_each_other(on: On) {
    match part() {
        Some(_) => run(sharer_of(on.backend)),
        None => two_processes(on),
    }
}

/// Leaves a slot with a connection behind, and then needs all that there are but one.
async fn process_of(backend: Backend) {
    let engine = engine(backend, "one").await;
    for isolation in [
        Isolation::Transaction,
        Isolation::Database,
        Isolation::Transaction,
    ] {
        let session = engine.session(isolation).await.unwrap();
        use_it(&session, "one").await;
        session.finish().await.unwrap();
    }
}

fn an_idle_slot_keeps_no_connection_from_a_test(on: On) {
    if part().is_some() {
        return run(process_of(on.backend));
    }
    let server = OwnServer::start(on);
    said(with_connections(&server, 6).spawn().unwrap());
    server.end();
}
