//! How processes share the connections of one server.

use std::{
    collections::BTreeSet,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Isolation};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::{
    children::{LONG, Partner, output, part, said, say, wait_for_a_line},
    mysql_server::FIRST,
    own_server::OwnServer,
    processes::one_test,
    support::{On, number, run},
};

on_each_server!(
    thirty_two_processes_finish_on_twenty_connections,
    a_long_wait_for_connections_names_budget_holders_and_cure,
);

fn thirty_two_processes_finish_on_twenty_connections(on: On) {
    const LIMIT: i64 = 20;
    if part().is_some() {
        let sql = "CREATE TABLE narrow (x INT); INSERT INTO narrow VALUES (1)";
        let (_, tables, rows) = run(one_test(on, sql));
        assert_eq!((tables, rows), (1, 1));
        return;
    }
    let server = OwnServer::narrow(on, LIMIT);
    let children: Vec<_> = (0..32)
        .map(|_| server.playing_among_many("test").spawn().unwrap())
        .collect();
    let (of_tests, all) = match on.backend {
        Backend::Postgres => (
            "datname LIKE 'gl\\_d\\_%'",
            "FROM pg_stat_activity WHERE usename",
        ),
        _ => (
            "db LIKE 'gl\\_d\\_%'",
            "FROM information_schema.processlist WHERE user",
        ),
    };
    let counts = format!(
        "SELECT count(CASE WHEN {of_tests} THEN 1 END), count(*) {all} = '{}'",
        server.user()
    );
    let most = run(async {
        let admin = server.admin().await;
        let (mut most, started) = (0, Instant::now());
        loop {
            let (used, there) = two_numbers(&admin, &counts).await;
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
    // On PostgreSQL the server gives out no more; among them are those by which the processes wait. On MySQL two
    // are left alone, and each process has one that is no test's.
    let limit = match on.backend {
        Backend::Postgres => LIMIT,
        _ => LIMIT - 3,
    };
    assert!(
        (1..limit).contains(&most),
        "{most} connections of tests at once"
    );
    server.end();
}

async fn two_numbers(db: &DatabaseConnection, sql: &str) -> (i64, i64) {
    let sql = Statement::from_string(db.get_database_backend(), sql);
    let row = db.query_one_raw(sql).await.unwrap().unwrap();
    (
        row.try_get_by_index(0).unwrap(),
        row.try_get_by_index(1).unwrap(),
    )
}

/// The part of a process: a test, which for `hold` keeps its connections until its parent lets it go.
fn play(on: On, part: &str) {
    const SQL: &str = "CREATE TABLE scarce (x INT)";
    if part != "hold" {
        run(one_test(on, SQL));
        return;
    }
    run(async {
        let engine = on.engine(SQL).await;
        let session = engine.session(Isolation::Database).await.unwrap();
        say("holding", "yes");
        assert!(wait_for_a_line());
        session.finish().await.unwrap();
    });
}

/// What a process reports that waits for the connections of `holders` others.
fn waiting(playing: impl Fn(&str) -> Command, holders: usize) -> String {
    let mut holders: Vec<_> = (0..holders)
        .map(|_| Partner::start(&mut playing("hold")))
        .collect();
    for holder in &mut holders {
        holder.hear("holding");
    }
    let waiting = playing("test").spawn().unwrap();
    thread::sleep(Duration::from_secs(8));
    for mut holder in holders {
        holder.tell("let go");
        holder.end();
    }
    let output = output(waiting);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    told
}

fn a_long_wait_for_connections_names_budget_holders_and_cure(on: On) {
    if let Some(part) = part() {
        return play(on, &part);
    }
    let server = OwnServer::start(on);
    let is_mysql = on.backend == Backend::MySql;
    let admin = run(server.admin());
    let mut expected = vec![
        "held by `",
        "`green-light it ",
        "(6)",
        "help: ",
        "max_connections",
    ];
    let budget = if is_mysql {
        expected.extend([
            "budget: 13 ",
            "MySQL has no 6 connections left",
            "`connection ",
        ]);
        run(take_most_numbers(&admin));
        "13"
    } else {
        expected.push("budget: 6 ");
        "6"
    };
    let told = waiting(
        |part| {
            let mut command = server.playing(part);
            command.env("GREEN_LIGHT_CONNECTIONS", budget);
            command
        },
        1,
    );
    for part in expected {
        assert!(told.contains(part), "{part} is missing: {told}");
    }
    assert!(!told.contains("secret"), "{told}");
    run(admin.close()).unwrap();
    server.end();
}

/// All numbers but the last one, which belongs to the process that keeps the MySQL server.
async fn take_most_numbers(admin: &DatabaseConnection) {
    let mut taken = BTreeSet::new();
    while taken.len() < FIRST - 1 {
        for name in 1..=FIRST {
            let take = format!("SELECT GET_LOCK('green_light.connection.{name}', 0)");
            if number(admin, &take).await == 1 {
                taken.insert(name);
            }
        }
    }
}

#[test]
fn the_connections_that_a_role_may_have_are_the_budget() {
    let on = On {
        backend: Backend::Postgres,
        test: "connections::the_connections_that_a_role_may_have_are_the_budget",
    };
    if let Some(part) = part() {
        return play(on, &part);
    }
    let server = OwnServer::narrow(on, 16);
    // Two of them have twelve.
    let told = waiting(|part| server.playing(part), 2);
    assert!(told.contains("budget: 14 of all processes"), "{told}");
    server.end();
}
