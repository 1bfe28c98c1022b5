//! What is measured, in groups; a new backend is a line in [`BACKENDS`] and three sources.

use std::path::Path;

use super::binary::{median, ratio, take_turns};
use super::compile;
use super::project::{Project, Source};
use super::table::Row;

/// The groups that can be asked for.
pub(crate) const GROUPS: [&str; 4] = ["noop", "graph", "database", "build"];

/// Where `database` measures: `benches/database/<name>/{green_light,by_hand,sqlx}.rs`.
const BACKENDS: [Backend; 1] = [Backend {
    name: "sqlite",
    green_light: "database/sqlite/green_light",
    by_hand: "database/sqlite/by_hand",
    sqlx: "database/sqlite/sqlx",
}];

struct Backend {
    name: &'static str,
    green_light: &'static str,
    by_hand: &'static str,
    sqlx: &'static str,
}

const fn source(path: &'static str, tests: u32) -> Source {
    Source { path, tests }
}

const NOOP: [Source; 3] = [
    source("noop/green_light", 1000),
    source("noop/tokio", 1000),
    source("noop/rstest", 1000),
];
const GRAPH: [Source; 2] = [
    source("graph/green_light", 1000),
    source("graph/none", 1000),
];
const BUILD: [Source; 2] = [source("build/green_light", 500), source("build/tokio", 500)];

impl Backend {
    fn sources(&self) -> [Source; 3] {
        [
            source(self.green_light, 1000),
            source(self.by_hand, 1000),
            // Slow, and no faster a test when there are more of them.
            source(self.sqlx, 50),
        ]
    }
}

/// Measures `groups` and prints a line for each figure.
///
/// # Errors
///
/// If something cannot be built or run.
pub(crate) fn run(root: &Path, groups: &[&str], rounds: usize) -> Result<(), String> {
    let mut sources = Vec::new();
    if groups.contains(&"noop") {
        sources.extend(NOOP);
    }
    if groups.contains(&"graph") {
        sources.extend(GRAPH);
    }
    if groups.contains(&"database") {
        sources.extend(BACKENDS.iter().flat_map(Backend::sources));
    }
    if groups.contains(&"build") {
        sources.extend(BUILD);
    }
    let project = Project::build(root, &sources)?;
    for group in groups {
        match *group {
            "noop" => noop(&project, rounds)?,
            "graph" => graph(&project, rounds)?,
            "database" => {
                for backend in &BACKENDS {
                    database(&project, backend, rounds)?;
                }
            }
            "build" => build(&project, rounds)?,
            other => return Err(format!("no group is called `{other}`")),
        }
    }
    Ok(())
}

fn noop(project: &Project, rounds: usize) -> Result<(), String> {
    let [ours, tokio, rstest] = NOOP;
    let [ours, tokio, rstest] = [
        project.binary(&ours)?,
        project.binary(&tokio)?,
        project.binary(&rstest)?,
    ];
    for threads in [1, 2, 8] {
        let times = take_turns(&[&ours, &tokio, &rstest], threads, rounds)?;
        for (peer, theirs) in [("#[tokio::test]", 1), ("#[rstest]", 2)] {
            row(
                format!("a test that does nothing, threads: {threads}"),
                &times[0],
                peer,
                &times[theirs],
                Some(1.0),
            );
        }
    }
    Ok(())
}

fn graph(project: &Project, rounds: usize) -> Result<(), String> {
    let [with, without] = GRAPH;
    let (with, without) = (project.binary(&with)?, project.binary(&without)?);
    let times = take_turns(&[&with, &without], 1, rounds)?;
    let more: Vec<f64> = times[0]
        .iter()
        .zip(&times[1])
        .map(|(with, without)| (with.as_secs_f64() - without.as_secs_f64()) * 1e6)
        .collect();
    let figure = median(&more).unwrap_or(f64::NAN);
    Row {
        what: "ten fixtures, set up and torn down".to_owned(),
        ours: std::time::Duration::from_secs_f64((figure / 1e6).max(0.0)),
        peer: None,
        figure,
        limit: Some(5.0),
    }
    .print();
    Ok(())
}

fn database(project: &Project, backend: &Backend, rounds: usize) -> Result<(), String> {
    let [ours, by_hand, sqlx] = backend.sources();
    let [ours, by_hand, sqlx] = [
        project.binary(&ours)?,
        project.binary(&by_hand)?,
        project.binary(&sqlx)?,
    ];
    let times = take_turns(&[&ours, &by_hand, &sqlx], 1, rounds)?;
    let what = format!("a test with a session on {}", backend.name);
    row(what.clone(), &times[0], "by hand", &times[1], Some(1.5));
    row(what, &times[0], "#[sqlx::test]", &times[2], Some(0.01));
    Ok(())
}

fn build(project: &Project, rounds: usize) -> Result<(), String> {
    let [ours, tokio] = BUILD;
    let times = compile::take_turns(project, &[&ours, &tokio], rounds)?;
    row(
        "build of 500 tests".to_owned(),
        &times[0],
        "#[tokio::test]",
        &times[1],
        Some(1.25),
    );
    Ok(())
}

fn row(
    what: String,
    ours: &[std::time::Duration],
    peer: &str,
    theirs: &[std::time::Duration],
    limit: Option<f64>,
) {
    Row {
        what,
        ours: median(ours).unwrap_or_default(),
        peer: median(theirs).map(|took| (peer.to_owned(), took)),
        figure: ratio(ours, theirs),
        limit,
    }
    .print();
}
