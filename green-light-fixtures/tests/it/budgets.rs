//! Every number of connections that processes may have together: they finish, or say how many they need.
//!
//! A case is a budget, a number of processes, of tests at once in each, and an isolation. Each test has a session on
//! each of two engines at once. `GREEN_LIGHT_BUDGETS=all` tries every case, and `pairs` as many as it takes to have each
//! two values of a case together, and each budget with each number of tests; `4 3 7 mixed` is one case, its numbers in this
//! order. Otherwise it is a few of each kind.
//! `GREEN_LIGHT_LANES` says how many are tried at the same time, each on a server of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt, fs,
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::ConnectionTrait;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

use crate::{
    checkout::Checkout,
    children::{LONG, output, part, playing, said, say, value},
    own_server::OwnServer,
    support::{On, number, run, text},
};

on_each_server!(
    every_budget_is_enough_or_is_refused_with_the_number_that_is_needed,
    every_budget_that_a_server_gives_is_enough_or_is_refused_with_the_number_that_is_needed,
    every_budget_of_a_server_with_ten_connections_is_enough_or_is_refused_with_a_number,
    a_server_that_gives_a_user_too_few_connections_says_how_many_are_needed,
);

const ISOLATIONS: [&str; 4] = ["transaction", "database", "shared", "mixed"];

/// What a refusal says, where the server has too few connections.
const REFUSALS: [&str; 2] = [
    "connections, and green-light needs 4",
    "connections, and the tests that run now need ",
];

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

/// Whether every case is tried, or as many as make each pair.
fn is_all() -> bool {
    env::var("GREEN_LIGHT_BUDGETS").is_ok_and(|wanted| wanted == "all" || wanted == "pairs")
}

fn every_case() -> Vec<Case> {
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
    all
}

/// Each two values of a case are together in one of these, and each budget is with each number of tests.
fn pairs() -> Vec<Case> {
    let mut pairs = Vec::new();
    for connections in 1..=20 {
        for threads in 1..=8 {
            let number = connections as usize + threads;
            pairs.push(Case {
                connections,
                processes: 1 + number % 3,
                threads,
                isolation: ISOLATIONS[number % ISOLATIONS.len()],
            });
        }
    }
    pairs
}

#[test]
fn the_pairs_of_cases_are_complete() {
    type Value = fn(&Case) -> String;
    let values: [Value; 4] = [
        |case| case.connections.to_string(),
        |case| case.processes.to_string(),
        |case| case.threads.to_string(),
        |case| case.isolation.to_owned(),
    ];
    let (all, pairs) = (every_case(), pairs());
    for (at, one) in values.iter().enumerate() {
        for other in &values[at + 1..] {
            let of = |cases: &[Case]| -> BTreeSet<_> {
                cases.iter().map(|case| (one(case), other(case))).collect()
            };
            assert_eq!(of(&all), of(&pairs));
        }
    }
}

/// The case that `text` is the name of: `connections processes threads isolation`.
fn named(text: &str) -> Option<Case> {
    let mut words = text.split_whitespace();
    let mut number = || words.next()?.parse().ok();
    let (connections, processes, threads) = (number()?, number()?, number()?);
    let isolation = words.next()?;
    Some(Case {
        connections,
        processes: usize::try_from(processes).ok()?,
        threads: usize::try_from(threads).ok()?,
        isolation: ISOLATIONS.into_iter().find(|known| *known == isolation)?,
    })
}

/// All cases, or those that are wanted of them.
fn cases(one_of: usize) -> Vec<Case> {
    let wanted = env::var("GREEN_LIGHT_BUDGETS").ok();
    let stride = match wanted.as_deref() {
        Some("all") => 1,
        Some("pairs") => return pairs(),
        Some(text) => match named(text) {
            Some(case) => return vec![case],
            None => text
                .parse()
                .expect("`all`, `pairs`, one case, or of how many cases one is tried"),
        },
        None => one_of,
    };
    every_case().into_iter().step_by(stride).collect()
}

/// How many cases are tried at the same time.
fn lanes() -> usize {
    let lanes = env::var("GREEN_LIGHT_LANES").ok();
    lanes.map_or(1, |lanes| lanes.parse().expect("a number"))
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
    if part == PLACES {
        return say_places(on.backend);
    }
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

/// What cases came to.
#[derive(Default)]
struct Outcomes {
    counts: BTreeMap<&'static str, usize>,
    /// The longest that one took which finished.
    slowest: (Duration, Option<Case>),
    failures: Vec<String>,
}

impl Outcomes {
    fn note(
        &mut self,
        case: Case,
        took: Duration,
        outcome: Result<Duration, String>,
        needed: &[&str],
    ) {
        let what = match outcome {
            Ok(took) => {
                if took > self.slowest.0 {
                    self.slowest = (took, Some(case));
                }
                "finished"
            }
            Err(said) if needed.iter().any(|needed| said.contains(needed)) => "refused",
            Err(said) => {
                self.failures.push(format!("{case}: {said}"));
                "failed"
            }
        };
        if took > SLOW || what == "failed" {
            say(what, &format!("{case}: {:.1} s", took.as_secs_f64()));
        }
        *self.counts.entry(what).or_insert(0) += 1;
    }

    fn expect_none_failed(self) {
        let took = format!("{:.1} s", self.slowest.0.as_secs_f64());
        let case = self
            .slowest
            .1
            .map_or(String::new(), |case| case.to_string());
        say(
            "counts",
            &format!("{:?}; slowest {took}: {case}", self.counts),
        );
        assert!(self.failures.is_empty(), "{}", self.failures.join("\n\n"));
    }
}

/// Tries cases, as many at the same time as there are servers, and says how many came to what.
fn try_all<S: Send>(
    cases: Vec<Case>,
    needed: &[&str],
    servers: Vec<S>,
    start: impl Fn(&S, Case) -> Vec<Child> + Sync,
) -> Vec<S> {
    let (cases, outcomes) = (
        Mutex::new(cases.into_iter()),
        Mutex::new(Outcomes::default()),
    );
    let lane = |server: S| {
        loop {
            let Some(case) = ({ cases.lock().unwrap().next() }) else {
                return server;
            };
            let begun = Instant::now();
            let outcome = outcome(start(&server, case));
            let took = begun.elapsed();
            outcomes.lock().unwrap().note(case, took, outcome, needed);
        }
    };
    let servers = thread::scope(|scope| {
        let lanes = servers
            .into_iter()
            .map(|server| scope.spawn(|| lane(server)));
        let lanes: Vec<_> = lanes.collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).collect()
    });
    outcomes.into_inner().unwrap().expect_none_failed();
    servers
}

/// Starts the processes of a case.
fn start(case: Case, playing: impl Fn(&str) -> Command) -> Vec<Child> {
    let part = format!("{} {}", case.threads, case.isolation);
    let processes = 0..case.processes;
    processes.map(|_| playing(&part).spawn().unwrap()).collect()
}

/// Servers for as many cases as are tried at the same time.
fn servers(start: impl Fn() -> OwnServer) -> Vec<OwnServer> {
    (0..lanes()).map(|_| start()).collect()
}

fn every_budget_is_enough_or_is_refused_with_the_number_that_is_needed(on: On) {
    if let Some(part) = part() {
        return play(on, &part);
    }
    let servers = servers(|| OwnServer::alone(on));
    let needed = ["write a number of connections, 2 or more"];
    let servers = try_all(cases(193), &needed, servers, |server, case| {
        start(case, |part| {
            let mut command = server.playing(part);
            command.env("GREEN_LIGHT_CONNECTIONS", case.connections.to_string());
            command
        })
    });
    servers.into_iter().for_each(OwnServer::end);
}

/// The same with what the server itself gives its user.
fn every_budget_that_a_server_gives_is_enough_or_is_refused_with_the_number_that_is_needed(on: On) {
    if let Some(part) = part() {
        return play(on, &part);
    }
    let servers = servers(|| OwnServer::alone(on));
    let servers = try_all(cases(487), &REFUSALS, servers, |server, case| {
        server.limit_connections(case.connections);
        start(case, |part| server.playing(part))
    });
    servers.into_iter().for_each(OwnServer::end);
}

/// The same on a server that has ten connections for all its users.
fn every_budget_of_a_server_with_ten_connections_is_enough_or_is_refused_with_a_number(on: On) {
    if let Some(part) = part() {
        return play(on, &part);
    }
    let ten = |case: &Case| case.connections == 10;
    let all = every_case().into_iter().filter(ten);
    let cases: Vec<_> = all.step_by(if is_all() { 1 } else { 29 }).collect();
    match on.backend {
        Backend::Postgres => {
            let servers = (0..lanes()).map(|_| SmallPostgres::start(on, 10)).collect();
            let servers = try_all(cases, &REFUSALS, servers, |server, case| {
                start(case, |part| server.playing(on, part))
            });
            servers.into_iter().for_each(SmallPostgres::end);
        }
        _ => {
            let servers = servers(|| OwnServer::narrow(on, 10));
            let servers = try_all(cases, &REFUSALS, servers, |server, case| {
                start(case, |part| server.playing(part))
            });
            servers.into_iter().for_each(OwnServer::end);
        }
    }
}

/// A PostgreSQL with few connections, on a cluster that green-light has made.
struct SmallPostgres {
    server: Child,
    url: String,
    checkout: Checkout,
    data: PathBuf,
    sockets: TempDir,
}

impl SmallPostgres {
    fn start(on: On, connections: u32) -> Self {
        let checkout = Checkout::new();
        let mut playing = checkout.playing(on.test, PLACES);
        playing.env_remove("GREEN_LIGHT_POSTGRES_URL");
        let said = said(playing.spawn().unwrap());
        let data = PathBuf::from(value(&said, "data"));
        checkout.stopped(&data);
        let owner = fs::metadata(&data).unwrap();
        let sockets = TempDir::new().unwrap();
        chown(sockets.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
        let mut server = Command::new(value(&said, "program"));
        server.arg("-D").arg(&data).arg("-k").arg(sockets.path());
        for setting in [
            format!("max_connections={connections}"),
            "listen_addresses=".to_owned(),
            "fsync=off".to_owned(),
        ] {
            server.arg("-c").arg(setting);
        }
        let own = fs::metadata("/proc/self").map_or(owner.uid(), |own| own.uid());
        if own != owner.uid() {
            server.uid(owner.uid()).gid(owner.gid());
        }
        server
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = server.spawn().unwrap();
        let directory = sockets.path().to_string_lossy().replace('/', "%2F");
        let url = format!("postgres://postgres@{directory}:5432/postgres");
        let begun = Instant::now();
        while let Err(error) = run(PgConnection::connect(&url)) {
            assert!(begun.elapsed() < LONG, "{error}");
            thread::sleep(Duration::from_millis(20));
        }
        Self {
            server,
            url,
            checkout,
            data,
            sockets,
        }
    }

    fn playing(&self, on: On, part: &str) -> Command {
        let mut command = playing(on.test, part);
        command.env("GREEN_LIGHT_POSTGRES_URL", &self.url);
        command
    }

    fn end(mut self) {
        let pid = self.server.id().to_string();
        let ended = Command::new("kill").args(["-INT", &pid]).status();
        assert!(ended.unwrap().success());
        self.server.wait().unwrap();
        self.checkout.end(&self.data);
        self.sockets.close().unwrap();
    }
}

/// The part of a process that says where the cluster and the program of its server are.
const PLACES: &str = "places";

fn say_places(backend: Backend) {
    run(async {
        let engine = engine(backend, "one").await;
        let session = engine.session(Isolation::Database).await.unwrap();
        let data = text(&*session, "SELECT current_setting('data_directory')").await;
        say("data", &data);
        let programs = "SELECT setting FROM pg_config() WHERE name = 'BINDIR'";
        say(
            "program",
            &format!("{}/postgres", text(&*session, programs).await),
        );
        session.finish().await.unwrap();
    });
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
