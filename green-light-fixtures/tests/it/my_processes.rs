//! What processes do to each other on one MySQL server: build a template once, survive being killed,
//! leave nothing, share connections. Each test has a server of its own.

use std::{
    collections::BTreeSet,
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::{
    children::{LONG, Partner, output, part, said, wait_for_a_line},
    my_server::{FIRST, MyServer},
    support::run,
};

fn of(test: &str) -> String {
    format!("my_processes::{test}")
}

async fn engine_of(sql: &str) -> Engine {
    Engine::builder()
        .backend(Backend::MySql)
        .schema(Schema::sql(sql))
        .build()
        .await
        .unwrap()
}

/// Ten tables with a row each, made slowly enough to be interrupted anywhere.
fn slow_schema(mark: &str) -> String {
    let table = |n: usize| {
        format!(
            "CREATE TABLE t{n}_{mark} (x INT); DO sleep(0.004); INSERT INTO t{n}_{mark} VALUES (1);"
        )
    };
    (0..10).map(table).collect()
}

async fn number(session: &Session, sql: &str) -> i64 {
    let row = session
        .query_one_raw(Statement::from_string(DbBackend::MySql, sql))
        .await
        .unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// The name of the database of a session.
fn database(session: &Session) -> String {
    let url = session.url().expose();
    let address = url.split('?').next().unwrap();
    address.rsplit('/').next().unwrap().to_owned()
}

/// Uses a database as a test would; says whether the template was built for it, and how many tables
/// with how many rows it had.
async fn one_test(sql: &str) -> (u64, i64, i64) {
    let engine = engine_of(sql).await;
    let session = engine.session(Isolation::Database).await.unwrap();
    let tables = session
        .query_all_raw(Statement::from_string(DbBackend::MySql, "SHOW TABLES"))
        .await
        .unwrap();
    let mut rows = 0;
    for table in &tables {
        let table: String = table.try_get_by_index(0).unwrap();
        rows += number(&session, &format!("SELECT count(*) FROM {table}")).await;
    }
    session.finish().await.unwrap();
    let tables = i64::try_from(tables.len()).unwrap();
    (engine.stats().templates_built, tables, rows)
}

#[test]
fn sixteen_processes_that_start_at_once_build_the_template_once_on_mysql() {
    if part().is_some() {
        let (built, tables, rows) = run(one_test(&slow_schema("a")));
        assert_eq!((tables, rows), (10, 10));
        println!("built={built}");
        return;
    }
    let server = MyServer::start(200);
    let test = of("sixteen_processes_that_start_at_once_build_the_template_once_on_mysql");
    let children: Vec<_> = (0..16)
        .map(|_| {
            let mut child = server.playing(&test, "test");
            child.env("NEXTEST", "1").spawn().unwrap()
        })
        .collect();
    let built: usize = children
        .into_iter()
        .map(|child| said(child).matches("built=1").count())
        .sum();
    assert_eq!(built, 1);
    server.end();
}

#[test]
fn a_builder_killed_on_mysql_leaves_nothing_that_is_taken_for_a_template() {
    if let Some(mark) = part() {
        let (_, tables, rows) = run(one_test(&slow_schema(&mark)));
        assert_eq!((tables, rows), (10, 10));
        return;
    }
    let test = of("a_builder_killed_on_mysql_leaves_nothing_that_is_taken_for_a_template");
    let server = MyServer::start(50);
    said(server.playing(&test, "first").spawn().unwrap());
    let started = Instant::now();
    said(server.playing(&test, "whole").spawn().unwrap());
    let whole = started.elapsed();
    for step in 0..16 {
        let mark = format!("k{step}");
        let mut child = server.playing(&test, &mark).spawn().unwrap();
        thread::sleep(whole * step / 16);
        child.kill().unwrap();
        child.wait().unwrap();
        said(server.playing(&test, &mark).spawn().unwrap());
    }
    // One more whole run is the next one after the last that was killed.
    said(server.playing(&test, "last").spawn().unwrap());
    let not_listed = "SELECT schema_name FROM information_schema.schemata \
        WHERE schema_name LIKE 'gl\\_%' \
        AND schema_name NOT IN (SELECT name FROM green_light.templates) \
        AND schema_name NOT IN (SELECT name FROM green_light.test_databases)";
    let lost = run(server.names(not_listed));
    assert!(lost.is_empty(), "{lost:?}");
    let half = "SELECT name FROM green_light.test_databases WHERE state IN ('making', 'ahead')";
    let half = run(server.names(half));
    assert!(half.is_empty(), "{half:?}");
    server.end();
}

#[test]
fn a_killed_process_on_mysql_leaves_nothing_after_the_next_and_a_living_one_keeps_its_database() {
    const SQL: &str = "CREATE TABLE kept (x INT)";
    match part().as_deref() {
        Some("hold") => run(async {
            let engine = engine_of(SQL).await;
            let session = engine.session(Isolation::Database).await.unwrap();
            println!("database={}", database(&session));
            assert!(wait_for_a_line(), "killed or told");
            let insert = "INSERT INTO kept VALUES (1)";
            session.execute_unprepared(insert).await.unwrap();
            session.finish().await.unwrap();
        }),
        Some(_) => drop(run(one_test(SQL))),
        None => {
            let test = of(
                "a_killed_process_on_mysql_leaves_nothing_after_the_next_and_a_living_one_keeps_its_database",
            );
            let server = MyServer::start(50);
            let mut living = Partner::start(&mut server.playing(&test, "hold"));
            let mut killed = Partner::start(&mut server.playing(&test, "hold"));
            let (kept, left) = (living.hear("database"), killed.hear("database"));
            let decoys = run(make_decoys(&server, &left));
            killed.kill();
            assert!(run(server.databases()).contains(&left));
            let names = after_others(&server, &test, &left);
            for name in decoys.iter().chain([&kept]) {
                assert!(names.contains(name), "{name} not in {names:?}");
            }
            living.tell("go on");
            living.end();
            after_others(&server, &test, &kept);
            server.end();
        }
    }
}

/// What there is after the next run has dropped `left`.
///
/// A run drops what it can in the time it has at its end, which on a busy machine may not be all.
fn after_others(server: &MyServer, test: &str, left: &str) -> Vec<String> {
    for _ in 0..10 {
        said(server.playing(test, "next").spawn().unwrap());
        let names = run(server.databases());
        if !names.iter().any(|name| name == left) {
            return names;
        }
    }
    panic!("{left} is still there");
}

/// Databases whose names look like ours, to `LIKE` or to the eye.
async fn make_decoys(server: &MyServer, like: &str) -> Vec<String> {
    let mut admin = server.admin().await;
    let last = if like.ends_with('0') { "1" } else { "0" };
    let names = [
        like.replace("gl_d_", "glxdx"),
        format!("{}{last}", &like[..like.len() - 1]),
        like.replace("gl_d_", "gl_t_"),
        format!("{like}_backup"),
        "green_light_production".to_owned(),
    ];
    for name in &names {
        let make = format!("CREATE DATABASE {name}");
        admin.execute(AssertSqlSafe(make)).await.unwrap();
    }
    admin.close().await.unwrap();
    names.to_vec()
}

#[test]
fn templates_that_nobody_uses_go_and_one_in_use_stays_on_mysql() {
    let schema = |part: &str| format!("CREATE TABLE only_{part} (x INT)");
    match part().as_deref() {
        Some("old") => {
            return run(async {
                let engine = engine_of(&schema("old")).await;
                println!("ready=yes");
                // Neither its template nor a database of it is touched meanwhile.
                assert!(wait_for_a_line());
                let session = engine.session(Isolation::Database).await.unwrap();
                assert_eq!(number(&session, "SELECT count(*) FROM only_old").await, 0);
                session.finish().await.unwrap();
            });
        }
        Some("fourteen") => {
            return run(async {
                for n in 0..14 {
                    one_test(&schema(&n.to_string())).await;
                }
            });
        }
        Some(other) => {
            let (built, tables, _) = run(one_test(&schema(other)));
            println!("built={built}");
            assert_eq!(tables, 1);
            return;
        }
        None => {}
    }
    let server = MyServer::start(50);
    let test = of("templates_that_nobody_uses_go_and_one_in_use_stays_on_mysql");
    let mut user = Partner::start(&mut server.playing(&test, "old"));
    user.hear("ready");
    said(server.playing(&test, "fourteen").spawn().unwrap());
    // Nobody has used any of them for hours, but for the process that lives. Their order stays.
    let age = "UPDATE green_light.templates SET used = used - INTERVAL 2 HOUR";
    let decoy = "CREATE DATABASE gl_t_0123456789abcdef0123";
    run(async {
        let mut admin = server.admin().await;
        admin.execute(age).await.unwrap();
        admin.execute(decoy).await.unwrap();
        admin.close().await.unwrap();
    });
    let before = run(server.names("SELECT name FROM green_light.templates ORDER BY used"));
    // That of whoever keeps the server, the one in use, and fourteen.
    assert_eq!(before.len(), 16, "{before:?}");
    let went = |name: &String| !run(server.databases()).contains(name);
    for _ in 0..10 {
        said(server.playing(&test, "next").spawn().unwrap());
        if went(&before[4]) {
            break;
        }
    }
    let names = run(server.databases());
    // Twelve are kept, the new one is one of them; so are those that a living process uses.
    let gone: Vec<_> = before.iter().map(|name| !names.contains(name)).collect();
    let mut expected = [false; 16];
    expected[2..5].fill(true);
    assert_eq!(gone, expected, "{before:?}\n{names:?}");
    assert!(names.iter().any(|name| decoy.ends_with(name)), "{names:?}");
    let listed = run(server.names("SELECT name FROM green_light.templates"));
    assert_eq!(listed.len(), 14, "{listed:?}");
    // What is gone is built again, what is there is found.
    assert!(said(server.playing(&test, "0").spawn().unwrap()).contains("built=1"));
    assert!(said(server.playing(&test, "13").spawn().unwrap()).contains("built=0"));
    user.tell("go on");
    user.end();
    server.end();
}

#[test]
fn thirty_two_processes_finish_on_a_mysql_server_with_twenty_connections() {
    const CONNECTIONS: i64 = 20;
    if part().is_some() {
        let (_, tables, rows) = run(one_test(
            "CREATE TABLE narrow (x INT); INSERT INTO narrow VALUES (1)",
        ));
        assert_eq!((tables, rows), (1, 1));
        return;
    }
    let test = of("thirty_two_processes_finish_on_a_mysql_server_with_twenty_connections");
    let server = MyServer::start(CONNECTIONS);
    let children: Vec<_> = (0..32)
        .map(|_| {
            let mut child = server.playing(&test, "test");
            child.env("NEXTEST", "1").spawn().unwrap()
        })
        .collect();
    let most = run(async {
        let mut admin = server.admin().await;
        let (mut most, started) = (0, Instant::now());
        loop {
            let (used, there): (i64, i64) = sqlx::query_as(
                "SELECT count(CASE WHEN db LIKE 'gl\\_d\\_%' THEN 1 END), count(*) \
                 FROM information_schema.processlist WHERE user = 'tester'",
            )
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
    // Two are left alone, and each process has one that is no test's.
    assert!(most > 0 && most < CONNECTIONS - 3, "{most} at once");
    server.end();
}

#[test]
fn a_long_wait_for_connections_on_mysql_names_budget_holders_and_cure() {
    const SQL: &str = "CREATE TABLE scarce (x INT)";
    match part().as_deref() {
        Some("hold") => run(async {
            let engine = engine_of(SQL).await;
            let session = engine.session(Isolation::Database).await.unwrap();
            println!("holding=yes");
            assert!(wait_for_a_line());
            session.finish().await.unwrap();
        }),
        Some(_) => drop(run(one_test(SQL))),
        None => {
            let test = of("a_long_wait_for_connections_on_mysql_names_budget_holders_and_cure");
            let server = MyServer::start(50);
            let narrow = |part| {
                let mut command = server.playing(&test, part);
                command.env("GREEN_LIGHT_CONNECTIONS", "13");
                command
            };
            run(async {
                let mut admin = server.admin().await;
                // All but the one that whoever keeps the server has in the end.
                let mut taken = BTreeSet::new();
                while taken.len() < FIRST - 1 {
                    for number in 1..=FIRST {
                        let take = format!("SELECT GET_LOCK('green_light.connection.{number}', 0)");
                        let query = sqlx::query_scalar(AssertSqlSafe(take));
                        let got: Option<i64> = query.fetch_one(&mut admin).await.unwrap();
                        if got == Some(1) {
                            taken.insert(number);
                        }
                    }
                }
                let mut holder = Partner::start(&mut narrow("hold"));
                holder.hear("holding");
                let waiting = narrow("test").spawn().unwrap();
                tokio::time::sleep(Duration::from_secs(8)).await;
                holder.tell("let go");
                holder.end();
                let output = output(waiting);
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{told}");
                for part in [
                    "budget: 13 ",
                    "MySQL has no 6 connections left",
                    "held by `",
                    "`connection ",
                    "`green-light it ",
                    "(6)",
                    "help: ",
                    "max_connections",
                ] {
                    assert!(told.contains(part), "{part} is missing: {told}");
                }
                assert!(!told.contains("secret"), "{told}");
                admin.close().await.unwrap();
            });
            server.end();
        }
    }
}
