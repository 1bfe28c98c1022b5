//! A run over all graphs, and its verdict.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use super::graph::{Case, Test};
use super::model::{self, Rules};
use super::project::Project;
use super::{compare, concurrent, excuse};

/// What to run, and how.
pub(crate) struct Plan {
    pub(crate) files: Vec<PathBuf>,
    /// Threads of the run that is compared by what no schedule may change.
    pub(crate) threads: usize,
    /// Run only every n-th graph.
    pub(crate) every: usize,
}

/// What became of one graph.
enum Verdict {
    Agreed,
    Excused(String),
    Differs(String),
}

/// Runs every graph and prints what became of them.
///
/// # Errors
///
/// If a graph differs from pytest without an excuse, or cannot be built.
pub(crate) fn run(root: &Path, plan: &Plan) -> Result<(), String> {
    let cases = read(&plan.files, plan.every)?;
    let mut verdicts = BTreeMap::new();
    let mut comparable = Vec::new();
    for case in &cases {
        match excuse::not_comparable(case) {
            Some(excuse) => drop(verdicts.insert(case.name.clone(), Verdict::Excused(excuse))),
            None => comparable.push(case),
        }
    }
    let project = Project::build(root, &comparable)?;
    verdicts.extend(each(&comparable, |case| {
        judge(&project, case, plan).unwrap_or_else(Verdict::Differs)
    }));
    report(&verdicts)
}

/// What `judge` says of each graph, several at a time.
pub(super) fn each<T: Send>(
    cases: &[&Case],
    judge: impl Fn(&Case) -> T + Sync,
) -> Vec<(String, T)> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, NonZero::get) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = judge(case);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((case.name.clone(), verdict));
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn read(files: &[PathBuf], every: usize) -> Result<Vec<Case>, String> {
    let (mut cases, mut idents) = (Vec::new(), HashSet::new());
    for file in files {
        let text =
            fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| !line.trim().is_empty());
        for (number, line) in lines.step_by(every) {
            let mut case = Case::parse(line)
                .map_err(|error| format!("{}:{}: {error}", file.display(), number + 1))?;
            // The same graph may stand in several files.
            while !idents.insert(case.ident.clone()) {
                case.ident.push_str("_again");
                case.name.push_str(" (again)");
            }
            cases.push(case);
        }
    }
    Ok(cases)
}

fn judge(project: &Project, case: &Case, plan: &Plan) -> Result<Verdict, String> {
    let all: Vec<&Test> = case.tests.iter().collect();
    let as_pytest = model::predict(case, &all, Rules::PYTEST);
    if let Some(trace) = &case.trace
        && let Some(difference) = compare::exact(trace, &as_pytest)
    {
        return Err(format!("the model is not like pytest: {difference}"));
    }
    let expected = agrees_exactly(project, case)?;
    let run = |tests: &[&Test], threads| -> Result<Vec<Value>, String> {
        compare::read(&project.run(case, tests, threads)?, &case.ident)
    };
    let some = subset(case);
    let of_some = model::predict(case, &some, Rules::GREEN_LIGHT);
    if let Some(difference) = compare::exact(&of_some, &run(&some, 1)?) {
        let names: Vec<String> = some.iter().map(|test| test.full_name()).collect();
        return Err(format!("only {}: {difference}", names.join(" ")));
    }
    let found = concurrent::differences(case, &expected, &run(&all, plan.threads)?);
    if !found.is_empty() {
        let found = found.join("\n  ");
        return Err(format!("with {} threads:\n  {found}", plan.threads));
    }
    Ok(
        match excuse::of_difference(case, &all, &as_pytest, &expected) {
            None => Verdict::Agreed,
            Some(excuse) => Verdict::Excused(excuse),
        },
    )
}

/// Runs all tests with one thread and returns the events, which are as expected.
pub(super) fn agrees_exactly(project: &Project, case: &Case) -> Result<Vec<Value>, String> {
    let all: Vec<&Test> = case.tests.iter().collect();
    let expected = model::predict(case, &all, Rules::GREEN_LIGHT);
    let actual = compare::read(&project.run(case, &all, 1)?, &case.ident)?;
    match compare::exact(&expected, &actual) {
        None => Ok(expected),
        Some(difference) => Err(difference),
    }
}

/// Some of the tests, the same in every run.
fn subset(case: &Case) -> Vec<&Test> {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut chance = |bytes: &[u8]| {
        for byte in bytes {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        state >> 33 & 1 == 1
    };
    chance(case.name.as_bytes());
    let some: Vec<&Test> = case
        .tests
        .iter()
        .filter(|test| chance(test.full_name().as_bytes()))
        .collect();
    if some.is_empty() {
        return case.tests.iter().take(1).collect();
    }
    some
}

fn report(verdicts: &BTreeMap<String, Verdict>) -> Result<(), String> {
    let (mut agreed, mut excused, mut differing) = (0, 0, 0);
    for (name, verdict) in verdicts {
        match verdict {
            Verdict::Agreed => agreed += 1,
            Verdict::Excused(why) => {
                excused += 1;
                println!("excused {name}: {why}");
            }
            Verdict::Differs(difference) => {
                differing += 1;
                println!("differs {name}: {difference}");
            }
        }
    }
    println!("{agreed} agreed, {excused} excused, {differing} differing");
    if differing > 0 {
        return Err(format!("{differing} graphs differ from pytest"));
    }
    Ok(())
}
