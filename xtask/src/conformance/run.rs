//! A run over all graphs, and its verdict.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::graph::Case;
use super::project::Project;
use super::{compare, excuse};

/// What became of one graph.
enum Verdict {
    Agreed,
    Excused(String),
    Differs(String),
}

/// Runs every graph of `files` and prints what became of them.
///
/// # Errors
///
/// If a graph differs from pytest without an excuse, or cannot be built.
pub(crate) fn run(root: &Path, files: &[PathBuf]) -> Result<(), String> {
    let mut cases = Vec::new();
    for file in files {
        let text =
            fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        for (number, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let case = Case::parse(line)
                .map_err(|error| format!("{}:{}: {error}", file.display(), number + 1))?;
            cases.push(case);
        }
    }
    let (mut verdicts, mut comparable) = (BTreeMap::new(), Vec::new());
    for case in &cases {
        match excuse::not_comparable(case) {
            Some(excuse) => drop(verdicts.insert(&case.name, Verdict::Excused(excuse))),
            None => comparable.push(case),
        }
    }
    let project = Project::build(root, &comparable)?;
    for case in comparable {
        let events = project.run(case)?;
        let actual = compare::read(&events, &case.name)?;
        let verdict = match compare::exact(&case.trace, &actual) {
            None => Verdict::Agreed,
            Some(_) if excuse::has_leak(case) => Verdict::Excused(
                "better (52): an override is kept out of the shared values of other modules"
                    .to_owned(),
            ),
            Some(difference) => Verdict::Differs(difference),
        };
        verdicts.insert(&case.name, verdict);
    }
    report(&verdicts)
}

fn report(verdicts: &BTreeMap<&String, Verdict>) -> Result<(), String> {
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
