//! Graphs by suite, for those who want to know how many of each differ.

use std::path::Path;

use super::excuse;
use super::graph::Case;
use super::project::Project;
use super::run::{agrees_exactly, each, read};

/// Graphs of one file.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    cases: Vec<Case>,
}

impl Suite {
    /// The comparable graphs of `file`, or one in `every`.
    pub(crate) fn read(name: &'static str, file: &Path, every: usize) -> Result<Self, String> {
        let mut cases = read(&[file.to_owned()], every)?;
        cases.retain(|case| excuse::not_comparable(case).is_none());
        Ok(Self { name, cases })
    }
}

/// How many graphs of each suite differ from what is expected, with the green-light in `root`.
pub(crate) fn notices(root: &Path, suites: &[Suite]) -> Result<Vec<usize>, String> {
    let all: Vec<&Case> = suites.iter().flat_map(|suite| &suite.cases).collect();
    let project = Project::build(root, &all)?;
    let mut noticed = Vec::new();
    for suite in suites {
        let cases: Vec<&Case> = suite.cases.iter().collect();
        let agreed = each(&cases, |case| agrees_exactly(&project, case).is_ok());
        noticed.push(agreed.into_iter().filter(|(_, agrees)| !agrees).count());
    }
    Ok(noticed)
}
