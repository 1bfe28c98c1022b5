//! What processes do to each other on one PostgreSQL server: build a template once, survive being
//! killed, leave nothing. Each test has a role, and so a maintenance database, of its own.

use std::{
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::ConnectionTrait;
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::{
    children::{LONG, Partner, part, said, wait_for_a_line},
    role::Role,
    support::run,
};

fn of(test: &str) -> String {
    format!("pg_processes::{test}")
}

pub(crate) async fn engine_of(sql: &str) -> Engine {
    Engine::builder()
        .backend(Backend::Postgres)
        .schema(Schema::sql(sql))
        .build()
        .await
        .unwrap()
}

/// Ten tables with a row each, made slowly enough to be interrupted anywhere.
fn slow_schema(mark: &str) -> String {
    let table = |n: usize| {
        format!(
            "CREATE TABLE t{n}_{mark} (x int); SELECT pg_sleep(0.004); INSERT INTO t{n}_{mark} VALUES (1);"
        )
    };
    (0..10).map(table).collect()
}

/// Uses a database as a test would, and says whether the template was built for it.
pub(crate) async fn one_test(sql: &str) -> (u64, i64) {
    let engine = engine_of(sql).await;
    let session = engine.session(Isolation::Database).await.unwrap();
    let rows = session
        .query_one_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Postgres,
            "SELECT sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', \
             tablename), true, true, '')))[1]::text::bigint)::bigint FROM pg_tables \
             WHERE schemaname = 'public'",
        ))
        .await
        .unwrap();
    let rows = rows.unwrap().try_get_by_index(0).unwrap();
    session.finish().await.unwrap();
    (engine.stats().templates_built, rows)
}

#[test]
fn sixteen_processes_that_start_at_once_build_the_template_once() {
    if part().is_some() {
        let (built, rows) = run(one_test(&slow_schema("a")));
        assert_eq!(rows, 10);
        println!("built={built}");
        return;
    }
    let role = run(Role::new());
    let test = "sixteen_processes_that_start_at_once_build_the_template_once";
    let children: Vec<_> = (0..16)
        .map(|_| {
            let mut child = role.playing(&of(test), "test");
            child.env("NEXTEST", "1").spawn().unwrap()
        })
        .collect();
    let built: usize = children
        .into_iter()
        .map(|child| said(child).matches("built=1").count())
        .sum();
    assert_eq!(built, 1);
    run(role.drop());
}

#[test]
fn a_builder_killed_at_any_moment_leaves_nothing_that_is_taken_for_a_template() {
    if let Some(mark) = part() {
        run(async {
            let sql = slow_schema(&mark);
            let (_, rows) = one_test(&sql).await;
            assert_eq!(rows, 10);
        });
        return;
    }
    let test = "a_builder_killed_at_any_moment_leaves_nothing_that_is_taken_for_a_template";
    let role = run(Role::new());
    // The maintenance database is there, so that the moments spread over the build itself.
    said(role.playing(&of(test), "first").spawn().unwrap());
    let started = Instant::now();
    said(role.playing(&of(test), "whole").spawn().unwrap());
    let whole = started.elapsed();
    for step in 0..16 {
        let mark = format!("k{step}");
        let mut child = role.playing(&of(test), &mark).spawn().unwrap();
        thread::sleep(whole * step / 16);
        child.kill().unwrap();
        child.wait().unwrap();
        said(role.playing(&of(test), &mark).spawn().unwrap());
    }
    // One more whole run is the next one after the last that was killed.
    said(role.playing(&of(test), "last").spawn().unwrap());
    let drafts: Vec<_> = run(role.databases())
        .into_iter()
        .filter(|name| name.starts_with("gl_b_"))
        .collect();
    assert!(drafts.is_empty(), "{drafts:?}");
    run(role.drop());
}

#[test]
fn a_killed_process_leaves_nothing_after_the_next_and_a_living_one_keeps_its_database() {
    const SQL: &str = "CREATE TABLE kept (x int)";
    match part().as_deref() {
        Some("hold") => run(async {
            let engine = engine_of(SQL).await;
            let session = engine.session(Isolation::Database).await.unwrap();
            let url = session.url().expose().to_owned();
            let name = url.split('?').next().unwrap().rsplit('/').next().unwrap();
            println!("database={name}");
            assert!(wait_for_a_line(), "killed or told");
            session
                .execute_unprepared("INSERT INTO kept VALUES (1)")
                .await
                .unwrap();
            session.finish().await.unwrap();
        }),
        Some(_) => drop(run(one_test(SQL))),
        None => {
            let test = "a_killed_process_leaves_nothing_after_the_next_and_a_living_one_keeps_its_database";
            let role = run(Role::new());
            let mut living = Partner::start(&mut role.playing(&of(test), "hold"));
            let mut killed = Partner::start(&mut role.playing(&of(test), "hold"));
            let (kept, left) = (living.hear("database"), killed.hear("database"));
            let decoys = run(make_decoys(&role, &left));
            killed.kill();
            assert!(run(role.databases()).contains(&left));
            let names = after_others(&role, &of(test), &left);
            assert!(names.contains(&kept), "{kept} not in {names:?}");
            for decoy in &decoys {
                assert!(names.contains(decoy), "{decoy} not in {names:?}");
            }
            living.tell("go on");
            living.end();
            after_others(&role, &of(test), &kept);
            run(role.drop());
        }
    }
}

/// As on a server that somebody else has set up: nothing tells it that its client has gone.
#[test]
fn a_process_killed_in_the_middle_of_a_query_leaves_neither_database_nor_query() {
    const SQL: &str = "CREATE TABLE slept (x int)";
    let endless = "SELECT pg_sleep(600)";
    match part().as_deref() {
        Some("sleep") => run(async {
            let engine = engine_of(SQL).await;
            let session = engine.session(Isolation::Database).await.unwrap();
            let url = session.url().expose().to_owned();
            let name = url.split('?').next().unwrap().rsplit('/').next().unwrap();
            println!("database={name}");
            session.execute_unprepared(endless).await.unwrap();
        }),
        Some(_) => drop(run(one_test(SQL))),
        None => {
            let test =
                "a_process_killed_in_the_middle_of_a_query_leaves_neither_database_nor_query";
            let role = run(Role::new());
            let deaf = format!(
                "ALTER ROLE {} SET client_connection_check_interval = 0",
                role.name
            );
            run(async {
                let mut admin = role.admin().await;
                admin.execute(AssertSqlSafe(deaf)).await.unwrap();
                admin.close().await.unwrap();
            });
            let mut killed = Partner::start(&mut role.playing(&of(test), "sleep"));
            let left = killed.hear("database");
            let sleeping = format!(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '{left}' AND query = '{endless}'"
            );
            let sleepers = || run(number(&role, &sleeping));
            let started = Instant::now();
            while sleepers() == 0 {
                assert!(started.elapsed() < LONG, "it never slept");
                thread::sleep(Duration::from_millis(10));
            }
            killed.kill();
            assert_eq!(sleepers(), 1, "the server knows nothing of it");
            after_others(&role, &of(test), &left);
            assert_eq!(sleepers(), 0);
            run(role.drop());
        }
    }
}

async fn number(role: &Role, sql: &str) -> i64 {
    let mut admin = role.admin().await;
    let number = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_one(&mut admin)
        .await
        .unwrap();
    admin.close().await.unwrap();
    number
}

/// What there is after the next run has dropped `left`.
///
/// A run drops what it can in the time it has at its end, which on a busy machine may not be all.
fn after_others(role: &Role, test: &str, left: &str) -> Vec<String> {
    for _ in 0..10 {
        said(role.playing(test, "next").spawn().unwrap());
        let names = run(role.databases());
        if !names.iter().any(|name| name == left) {
            return names;
        }
    }
    panic!("{left} is still there");
}

/// Databases whose names look like ours, to `LIKE` or to the eye.
async fn make_decoys(role: &Role, like: &str) -> Vec<String> {
    let mut admin = role.admin().await;
    let names = [
        like.replace("gl_d_", "glxdx"),
        format!("{}0", &like[..like.len() - 1]).replace("gl_d_0", "gl_d_1"),
        role.name.replace("gl_test_", "gl_d_00000000"),
        role.name.replace("gl_test_", "gl_t_0000"),
    ];
    let names: Vec<_> = names.into_iter().filter(|name| name != like).collect();
    for name in &names {
        let make = format!("CREATE DATABASE \"{name}\" OWNER {}", role.name);
        admin.execute(AssertSqlSafe(make)).await.unwrap();
    }
    admin.close().await.unwrap();
    names
}

#[test]
fn processes_whose_urls_name_different_databases_build_the_template_once() {
    if part().is_some() {
        let (built, _) = run(one_test("CREATE TABLE named (x int)"));
        println!("built={built}");
        return;
    }
    let test = of("processes_whose_urls_name_different_databases_build_the_template_once");
    let role = run(Role::new());
    let children: Vec<_> = (0..6)
        .map(|number| match number % 2 {
            0 => role.playing(&test, "test"),
            _ => role.playing_in("template1", &test, "test"),
        })
        .map(|mut child| child.spawn().unwrap())
        .collect();
    let built = children
        .into_iter()
        .map(|child| said(child).matches("built=1").count());
    assert_eq!(built.sum::<usize>(), 1);
    run(role.drop());
}
