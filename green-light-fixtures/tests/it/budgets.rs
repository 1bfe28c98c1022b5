//! Every number of connections that processes may have together: they finish, or say how many they need.
//!
//! A case is a budget, a number of processes, of tests at once in each, and an isolation. Each test has a session on
//! each of two engines at once. `GREEN_LIGHT_BUDGETS=all` tries every case; otherwise it is a few of each kind.

use std::{
    collections::BTreeMap,
    env, fmt,
    process::Child,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::ConnectionTrait;

use crate::{
    children::{output, part, say},
    own_server::OwnServer,
    support::{On, number, run},
};

on_each_server!(
    every_budget_is_enough_or_is_refused_with_the_number_that_is_needed,
    a_server_that_gives_a_user_too_few_connections_says_how_many_are_needed,
);

const ISOLATIONS: [&str; 4] = ["transaction", "database", "shared", "mixed"];

/// What takes longer is printed.
const SLOW: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Case {
    connections: i64,
    processes: usize,
    threads: usize,
    isolation: &'static str,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connections,
            processes,
            threads,
            isolation,
        } = self;
        write!(
            f,
            "{connections} connections, {processes} processes with {threads} tests at once, {isolation}"
        )
    }
}

/// All cases, or one of so many.
fn cases(one_of: usize) -> Vec<Case> {
    let mut all = Vec::new();
    for connections in 1..=20 {
        for processes in 1..=3 {
            for threads in 1..=8 {
                all.extend(ISOLATIONS.map(|isolation| Case {
                    connections,
                    processes,
                    threads,
                    isolation,
                }));
            }
        }
    }
    let stride = match env::var("GREEN_LIGHT_BUDGETS").as_deref() {
        Ok("all") => 1,
        Ok(few) => few
            .parse()
            .expect("`all`, or of how many cases one is tried"),
        Err(_) => one_of,
    };
    all.into_iter().step_by(stride).collect()
}

async fn engine(backend: Backend, table: &str) -> Engine {
    let schema = Schema::sql(format!("CREATE TABLE {table} (x INT)"));
    let engine = Engine::builder().backend(backend).schema(schema);
    engine.build().await.unwrap()
}

/// A test with two sessions.
async fn test(engines: [&Engine; 2], isolation: Isolation) {
    let mut sessions = Vec::new();
    for (engine, table) in engines.into_iter().zip(["one", "two"]) {
        let session = engine.session(isolation).await.unwrap();
        let insert = format!("INSERT INTO {table} VALUES (1)");
        session.execute_unprepared(&insert).await.unwrap();
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(number(&*session, &count).await, 1);
        sessions.push(session);
    }
    for session in sessions {
        session.finish().await.unwrap();
    }
}

/// A process of a case: `threads isolation`.
fn play(on: On, part: &str) {
    let (threads, isolation) = part.split_once(' ').unwrap();
    let threads: usize = threads.parse().unwrap();
    let engines = run(async {
        [
            engine(on.backend, "one").await,
            engine(on.backend, "two").await,
        ]
    });
    let all = [
        Isolation::Transaction,
        Isolation::Shared,
        Isolation::Database,
    ];
    thread::scope(|scope| {
        for number in 0..threads {
            let engines = &engines;
            let body = move || {
                for turn in 0..2 {
                    let isolation = match isolation {
                        "mixed" => all[(number + turn) % all.len()],
                        one => one.parse().unwrap(),
                    };
                    run(test([&engines[0], &engines[1]], isolation));
                }
            };
            let named = thread::Builder::new().name(format!("test_{number}"));
            named.spawn_scoped(scope, body).unwrap();
        }
    });
    say("ended", "well");
}

/// What a case came to: `Ok` with how long it took, or what its processes said.
fn outcome(children: Vec<Child>) -> Result<Duration, String> {
    let begun = Instant::now();
    let mut failed = None;
    for child in children {
        let output = output(child);
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            failed = Some(String::from_utf8_lossy(&said).into_owned());
        }
    }
    failed.map_or(Ok(begun.elapsed()), Err)
}

/// Tries cases, and says how many came to what.
fn try_all(cases: Vec<Case>, needed: &[&str], start: impl Fn(Case) -> Vec<Child>) {
    let (mut counts, mut slowest) = (BTreeMap::new(), (Duration::ZERO, None));
    let failures = Mutex::new(Vec::new());
    for case in cases {
        let what = match outcome(start(case)) {
            Ok(took) => {
                if took > SLOW {
                    say("slow", &format!("{case}: {:.1} s", took.as_secs_f64()));
                }
                if took > slowest.0 {
                    slowest = (took, Some(case));
                }
                "finished"
            }
            Err(said) if needed.iter().any(|needed| said.contains(needed)) => "refused",
            Err(said) => {
                say("failed", &case.to_string());
                failures.lock().unwrap().push(format!("{case}: {said}"));
                "failed"
            }
        };
        *counts.entry(what).or_insert(0) += 1;
    }
    let took = format!("{:.1} s", slowest.0.as_secs_f64());
    let case = slowest.1.map_or(String::new(), |case| case.to_string());
    say("counts", &format!("{counts:?}; slowest {took}: {case}"));
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn every_budget_is_enough_or_is_refused_with_the_number_that_is_needed(on: On) {
    if let Some(part) = part() {
        return play(on, &part);
    }
    let server = OwnServer::alone(on);
    try_all(
        cases(193),
        &["write a number of connections, 2 or more"],
        |case| {
            let processes = 0..case.processes;
            let part = format!("{} {}", case.threads, case.isolation);
            let playing = processes.map(|_| {
                let mut command = server.playing(&part);
                command.env("GREEN_LIGHT_CONNECTIONS", case.connections.to_string());
                command.spawn().unwrap()
            });
            playing.collect()
        },
    );
    server.end();
}

fn a_server_that_gives_a_user_too_few_connections_says_how_many_are_needed(on: On) {
    if let Some(part) = part() {
        return play(on, &part);
    }
    let server = OwnServer::start(on);
    server.limit_connections(3);
    let output = output(server.playing("1 transaction").spawn().unwrap());
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!output.status.success(), "{said}");
    let told = "gives this user 3 connections, and green-light needs 4";
    assert!(said.contains(told), "{said}");
    server.end();
}
