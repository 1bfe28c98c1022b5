//! How processes share the connections of one PostgreSQL server.

use std::{
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::Isolation;
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::{
    children::{LONG, Partner, output, part, said, say, wait_for_a_line},
    pg_processes::{engine_of, one_test},
    role::Role,
    support::run,
};

fn of(test: &str) -> String {
    format!("pg_connections::{test}")
}

/// The part of a process: a test, which for `hold` keeps its connections until it is told to let go.
fn play(part: &str, sql: &str) {
    if part != "hold" {
        run(one_test(sql));
        return;
    }
    run(async {
        let engine = engine_of(sql).await;
        let session = engine.session(Isolation::Database).await.unwrap();
        say("holding", "yes");
        assert!(wait_for_a_line());
        session.finish().await.unwrap();
    });
}

/// Lets the server refuse the role more connections than that.
async fn limit_connections(role: &Role, most: i64) {
    let mut admin = role.admin().await;
    let limit = format!("ALTER ROLE {} CONNECTION LIMIT {most}", role.name);
    admin.execute(AssertSqlSafe(limit)).await.unwrap();
    admin.close().await.unwrap();
}

#[test]
fn thirty_two_processes_finish_on_twenty_connections() {
    const LIMIT: i64 = 20;
    if part().is_some() {
        let (_, rows) = run(one_test(
            "CREATE TABLE narrow (x int); INSERT INTO narrow VALUES (1)",
        ));
        assert_eq!(rows, 1);
        return;
    }
    let test = "thirty_two_processes_finish_on_twenty_connections";
    let role = run(Role::new());
    run(limit_connections(&role, LIMIT));
    let children: Vec<_> = (0..32)
        .map(|_| {
            let mut child = role.playing(&of(test), "test");
            child.env("NEXTEST", "1");
            child.spawn().unwrap()
        })
        .collect();
    let most = run(async {
        let mut admin = role.admin().await;
        let (mut most, started) = (0, Instant::now());
        loop {
            let (used, there): (i64, i64) = sqlx::query_as(
                "SELECT count(*) FILTER (WHERE datname LIKE 'gl\\_d\\_%'), count(*) \
                 FROM pg_stat_activity WHERE usename = $1",
            )
            .bind(&role.name)
            .fetch_one(&mut admin)
            .await
            .unwrap();
            most = most.max(used);
            if there == 0 && started.elapsed() > Duration::from_secs(2) || started.elapsed() > LONG
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        admin.close().await.unwrap();
        most
    });
    for child in children {
        said(child);
    }
    // The server gives out no more; among them are those by which the processes wait.
    assert!(
        (1..LIMIT).contains(&most),
        "{most} connections of tests at once"
    );
    run(role.drop());
}

#[test]
fn the_connections_that_a_role_may_have_are_the_budget() {
    const SQL: &str = "CREATE TABLE limited (x int)";
    if let Some(part) = part() {
        return play(&part, SQL);
    }
    let test = "the_connections_that_a_role_may_have_are_the_budget";
    let role = run(Role::new());
    run(limit_connections(&role, 16));
    // Two of them have twelve.
    let mut holders: Vec<_> = (0..2)
        .map(|_| Partner::start(&mut role.playing(&of(test), "hold")))
        .collect();
    holders
        .iter_mut()
        .for_each(|holder| drop(holder.hear("holding")));
    let waiting = role.playing(&of(test), "test").spawn().unwrap();
    thread::sleep(Duration::from_secs(8));
    for mut holder in holders {
        holder.tell("let go");
        holder.end();
    }
    let output = output(waiting);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("budget: 14 of all processes"), "{told}");
    run(role.drop());
}

#[test]
fn a_long_wait_for_connections_names_budget_holders_and_cure() {
    const SQL: &str = "CREATE TABLE scarce (x int)";
    if let Some(part) = part() {
        return play(&part, SQL);
    }
    let test = "a_long_wait_for_connections_names_budget_holders_and_cure";
    let role = run(Role::new());
    let narrow = |part| {
        let mut command = role.playing(&of(test), part);
        command.env("GREEN_LIGHT_CONNECTIONS", "6");
        command
    };
    let mut holder = Partner::start(&mut narrow("hold"));
    holder.hear("holding");
    let waiting = narrow("test").spawn().unwrap();
    thread::sleep(Duration::from_secs(8));
    holder.tell("let go");
    holder.end();
    let output = output(waiting);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    for part in [
        "budget: 6 ",
        "held by `green-light it ",
        "(6)",
        "help: ",
        "max_connections",
    ] {
        assert!(told.contains(part), "{part} is missing: {told}");
    }
    assert!(!told.contains("secret"), "{told}");
    run(role.drop());
}
