//! What is measured, in groups.

use std::path::Path;

use super::binary::take_turns;
use super::project::{Project, Source};
use super::timing::{best, middle};
use super::{backend, compile, database, table};

/// Something that can be asked for.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    sources: fn() -> Vec<Source>,
    measure: fn(&Project, usize) -> Result<(), String>,
}

/// All groups, in the order of the table.
pub(crate) const GROUPS: [Group; 5] = [
    Group {
        name: "noop",
        sources: || NOOP.to_vec(),
        measure: noop,
    },
    Group {
        name: "graph",
        sources: || GRAPH.to_vec(),
        measure: graph,
    },
    Group {
        name: "database",
        sources: backend::sources,
        measure: database::measure,
    },
    Group {
        name: "start",
        sources: backend::sources,
        measure: database::start,
    },
    Group {
        name: "build",
        sources: || BUILD.to_vec(),
        measure: build,
    },
];

const NOOP: [Source; 3] = [
    Source::new("noop/green_light", 1000),
    Source::new("noop/tokio", 1000),
    Source::new("noop/rstest", 1000),
];
const GRAPH: [Source; 2] = [
    Source::new("graph/green_light", 1000),
    Source::new("graph/none", 1000),
];
const BUILD: [Source; 2] = [
    Source::new("build/green_light", 500),
    Source::new("build/tokio", 500),
];

/// Measures `groups` and prints a line for each figure.
///
/// # Errors
///
/// If something cannot be built or run.
pub(crate) fn run(root: &Path, groups: &[&Group], rounds: usize) -> Result<(), String> {
    let sources: Vec<Source> = groups.iter().flat_map(|group| (group.sources)()).collect();
    let project = Project::build(root, &sources)?;
    table::head();
    for group in groups {
        (group.measure)(&project, rounds)?;
    }
    Ok(())
}

fn noop(project: &Project, rounds: usize) -> Result<(), String> {
    let [ours, tokio, rstest] = project.binaries(&NOOP)?;
    for threads in [1, 2] {
        let times = take_turns(&[&ours, &tokio, &rstest], threads, rounds)?;
        let what = format!("a test that does nothing, {threads} at a time");
        let [ours, tokio, rstest] = [0, 1, 2].map(|at| best(&times[at]));
        table::ratio(&what, ours, "`#[tokio::test]`", tokio, 1.0);
        table::ratio(&what, ours, "`#[rstest]`", rstest, 1.0);
    }
    Ok(())
}

/// What fixtures cost is the difference between tests with and without them. It is small beside the
/// thread that libtest starts for each, so processor time is compared.
fn graph(project: &Project, rounds: usize) -> Result<(), String> {
    let [with, without] = project.binaries(&GRAPH)?;
    let times = take_turns(&[&with, &without], 1, rounds)?;
    let cost = middle(&times[0]).saturating_sub(middle(&times[1]));
    table::cost("ten fixtures, set up and torn down", cost, 5.0);
    Ok(())
}

fn build(project: &Project, rounds: usize) -> Result<(), String> {
    // A build takes seconds, and differs by a few hundredths.
    let rounds = rounds.div_ceil(4);
    let times = compile::take_turns(project, &BUILD, rounds)?;
    table::ratio(
        "a build of 500 tests",
        best(&times[0]),
        "`#[tokio::test]`",
        best(&times[1]),
        1.25,
    );
    Ok(())
}
