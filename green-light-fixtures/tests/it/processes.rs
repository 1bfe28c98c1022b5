//! What processes do to each other on one server: build a template once, survive being killed, leave nothing.

use std::{
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Isolation};
use sea_orm::ConnectionTrait;

use crate::{
    children::{LONG, Partner, part, said, say, wait_for_a_line},
    own_server::{OwnServer, database},
    role::Role,
    support::{On, number, run},
};

on_each_server!(
    sixteen_processes_that_start_at_once_build_the_template_once,
    a_builder_killed_at_any_moment_leaves_nothing_that_is_taken_for_a_template,
    a_killed_process_leaves_nothing_after_the_next_and_a_living_one_keeps_its_database,
    templates_that_nobody_uses_go_and_one_in_use_stays,
);

/// Uses a database as a test would; says whether the template was built for it, and how many tables with how
/// many rows it had.
pub(crate) async fn one_test(on: On, sql: &str) -> (u64, usize, i64) {
    let engine = on.engine(sql).await;
    let session = engine.session(Isolation::Database).await.unwrap();
    let (tables, rows) = on.tables_and_rows(&session).await;
    session.finish().await.unwrap();
    (engine.stats().templates_built, tables, rows)
}

fn sixteen_processes_that_start_at_once_build_the_template_once(on: On) {
    if part().is_some() {
        let (built, tables, rows) = run(one_test(on, &on.slow_schema("a")));
        assert_eq!((tables, rows), (10, 10));
        say("built", &built.to_string());
        return;
    }
    let server = OwnServer::start(on);
    let children: Vec<_> = (0..16)
        .map(|_| server.playing_among_many("test").spawn().unwrap())
        .collect();
    let built: usize = children
        .into_iter()
        .map(|child| said(child).matches("built=1").count())
        .sum();
    assert_eq!(built, 1);
    server.end();
}

fn a_builder_killed_at_any_moment_leaves_nothing_that_is_taken_for_a_template(on: On) {
    if let Some(mark) = part() {
        let (_, tables, rows) = run(one_test(on, &on.slow_schema(&mark)));
        assert_eq!((tables, rows), (10, 10));
        return;
    }
    let server = OwnServer::start(on);
    // Makes what green-light has on a server once, so that the moments spread over the build itself.
    server.said("first");
    let started = Instant::now();
    server.said("whole");
    let whole = started.elapsed();
    for step in 0..16 {
        let mark = format!("k{step}");
        let mut child = server.playing(&mark).spawn().unwrap();
        thread::sleep(whole * step / 16);
        child.kill().unwrap();
        child.wait().unwrap();
        server.said(&mark);
    }
    // One more whole run is the next one after the last that was killed.
    server.said("last");
    let texts = on.texts();
    let mut listed = server.registered(&format!("SELECT name FROM {}", texts.templates));
    listed.extend(server.registered(&format!("SELECT name FROM {}", texts.databases)));
    let mut lost = server.databases();
    lost.retain(|name| !listed.contains(name));
    assert!(lost.is_empty(), "{lost:?}");
    let half = format!(
        "SELECT name FROM {} WHERE state IN ('making', 'ahead')",
        texts.databases
    );
    let half = server.registered(&half);
    assert!(half.is_empty(), "{half:?}");
    server.end();
}

fn a_killed_process_leaves_nothing_after_the_next_and_a_living_one_keeps_its_database(on: On) {
    const SQL: &str = "CREATE TABLE kept (x INT)";
    match part().as_deref() {
        Some("hold") => run(async {
            let engine = on.engine(SQL).await;
            let session = engine.session(Isolation::Database).await.unwrap();
            say("database", &database(&session));
            assert!(wait_for_a_line(), "killed or told");
            let insert = "INSERT INTO kept VALUES (1)";
            session.execute_unprepared(insert).await.unwrap();
            session.finish().await.unwrap();
        }),
        Some(_) => drop(run(one_test(on, SQL))),
        None => {
            let server = OwnServer::start(on);
            let mut living = Partner::start(&mut server.playing("hold"));
            let mut killed = Partner::start(&mut server.playing("hold"));
            let (kept, left) = (living.hear("database"), killed.hear("database"));
            let decoys = decoys(&left);
            server.make_databases(&decoys);
            killed.kill();
            assert!(server.databases().contains(&left));
            let names = after_others(&server, &left);
            for name in decoys.iter().chain([&kept]) {
                assert!(names.contains(name), "{name} not in {names:?}");
            }
            living.tell("go on");
            living.end();
            after_others(&server, &kept);
            server.end();
        }
    }
}

/// What there is after the next run has dropped `left`.
///
/// A run drops what it can in the time it has at its end, which on a busy machine may not be all.
fn after_others(server: &OwnServer, left: &str) -> Vec<String> {
    for _ in 0..10 {
        server.said("next");
        let names = server.databases();
        if !names.iter().any(|name| name == left) {
            return names;
        }
    }
    panic!("{left} is still there");
}

/// Databases whose names look like that of a test, to `LIKE` or to the eye.
fn decoys(like: &str) -> [String; 5] {
    let last = if like.ends_with('0') { "1" } else { "0" };
    [
        like.replace("gl_d_", "glxdx"),
        format!("{}{last}", &like[..like.len() - 1]),
        like.replace("gl_d_", "gl_t_"),
        format!("{like}_backup"),
        like.replace("gl_d_", "green_light_production_"),
    ]
}

fn templates_that_nobody_uses_go_and_one_in_use_stays(on: On) {
    let schema = |part: &str| format!("CREATE TABLE only_{part} (x INT)");
    match part().as_deref() {
        Some("old") => {
            return run(async {
                let engine = on.engine(&schema("old")).await;
                say("ready", "yes");
                // Neither its template nor a database of it is touched meanwhile.
                assert!(wait_for_a_line());
                let session = engine.session(Isolation::Database).await.unwrap();
                assert_eq!(number(&*session, "SELECT count(*) FROM only_old").await, 0);
                session.finish().await.unwrap();
            });
        }
        Some("fourteen") => {
            return run(async {
                for n in 0..14 {
                    one_test(on, &schema(&n.to_string())).await;
                }
            });
        }
        Some(other) => {
            let (built, tables, _) = run(one_test(on, &schema(other)));
            say("built", &built.to_string());
            assert_eq!(tables, 1);
            return;
        }
        None => {}
    }
    let server = OwnServer::start(on);
    let listed = format!("SELECT name FROM {} ORDER BY used", on.texts().templates);
    // It finds its template, which is the way of most processes.
    let mut maker = Partner::start(&mut server.playing("old"));
    maker.hear("ready");
    maker.tell("go on");
    maker.end();
    let mut user = Partner::start(&mut server.playing("old"));
    user.hear("ready");
    // On MySQL that of the process that keeps the server is one of them.
    let in_use = server.registered(&listed).len();
    server.said("fourteen");
    // Nobody has used any of them for hours, but for the processes that live. Their order stays.
    let decoy = "gl_t_0123456789abcdef0123".to_owned();
    server.make_databases(std::slice::from_ref(&decoy));
    run(async {
        let registry = server.registry().await;
        let earlier = on.texts().two_hours_earlier;
        registry.execute_unprepared(earlier).await.unwrap();
        registry.close().await.unwrap();
    });
    let before = server.registered(&listed);
    assert_eq!(before.len(), in_use + 14, "{before:?}");
    for _ in 0..10 {
        server.said("next");
        if !server.databases().contains(&before[in_use + 2]) {
            break;
        }
    }
    let names = server.databases();
    // Twelve are kept, the new one is one of them; so are those that a living process uses.
    let gone: Vec<_> = before.iter().map(|name| !names.contains(name)).collect();
    let mut expected = vec![false; in_use + 14];
    expected[in_use..in_use + 3].fill(true);
    assert_eq!(gone, expected, "{before:?}\n{names:?}");
    assert!(names.contains(&decoy), "{names:?}");
    assert_eq!(server.registered(&listed).len(), in_use + 12);
    // What is gone is built again, what is there is found.
    assert!(server.said("0").contains("built=1"));
    assert!(server.said("13").contains("built=0"));
    user.tell("go on");
    user.end();
    server.end();
}

/// As on a server that somebody else has set up: nothing tells it that its client has gone.
#[test]
fn a_process_killed_in_the_middle_of_a_query_leaves_neither_database_nor_query() {
    const SQL: &str = "CREATE TABLE slept (x int)";
    let on = On {
        backend: Backend::Postgres,
        test: "processes::a_process_killed_in_the_middle_of_a_query_leaves_neither_database_nor_query",
    };
    let endless = "SELECT pg_sleep(600)";
    match part().as_deref() {
        Some("sleep") => run(async {
            let engine = on.engine(SQL).await;
            let session = engine.session(Isolation::Database).await.unwrap();
            say("database", &database(&session));
            session.execute_unprepared(endless).await.unwrap();
        }),
        Some(_) => drop(run(one_test(on, SQL))),
        None => {
            let server = OwnServer::start(on);
            let admin = run(server.admin());
            let deaf = format!(
                "ALTER ROLE {} SET client_connection_check_interval = 0",
                server.user()
            );
            run(admin.execute_unprepared(&deaf)).unwrap();
            let mut killed = Partner::start(&mut server.playing("sleep"));
            let left = killed.hear("database");
            let sleeping = format!(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '{left}' AND query = '{endless}'"
            );
            let sleepers = || run(number(&admin, &sleeping));
            let started = Instant::now();
            while sleepers() == 0 {
                assert!(started.elapsed() < LONG, "it never slept");
                thread::sleep(Duration::from_millis(10));
            }
            killed.kill();
            assert_eq!(sleepers(), 1, "the server knows nothing of it");
            after_others(&server, &left);
            assert_eq!(sleepers(), 0);
            run(admin.close()).unwrap();
            server.end();
        }
    }
}

#[test]
fn processes_whose_urls_name_different_databases_build_the_template_once() {
    let on = On {
        backend: Backend::Postgres,
        test: "processes::processes_whose_urls_name_different_databases_build_the_template_once",
    };
    if part().is_some() {
        let (built, ..) = run(one_test(on, "CREATE TABLE named (x int)"));
        say("built", &built.to_string());
        return;
    }
    let role = run(Role::new());
    let children: Vec<_> = (0..6)
        .map(|number| match number % 2 {
            0 => role.playing(on.test, "test"),
            _ => role.playing_in("template1", on.test, "test"),
        })
        .map(|mut child| child.spawn().unwrap())
        .collect();
    let built = children
        .into_iter()
        .map(|child| said(child).matches("built=1").count());
    assert_eq!(built.sum::<usize>(), 1);
    run(role.drop());
}
