//! Variables of green-light, and its directory.

use std::env;
use std::fs;
use std::path::Path;

use green_light_fixtures::checkup;

use crate::doctor::finding::{Finding, Topic};
use crate::print::listed;
use crate::project::Project;

/// What is set, and how.
pub(crate) fn variables(project: &Project) -> Vec<Finding> {
    let topic = Topic::Variables;
    let mut findings = Vec::new();
    if let Err(errors) = checkup::check_variables() {
        findings.extend(errors.iter().map(|error| Finding::told(topic, error)));
    }
    let unknown = green_light_core::unknown_variables(env::vars_os().map(|(name, _)| name));
    for (name, nearest) in &unknown {
        let is_told = findings
            .iter()
            .any(|finding| finding.fact.contains(&format!("`{name}`")));
        if !is_told {
            findings.push(Finding::note(
                topic,
                format!("green-light does not know the variable `{name}`, and does nothing about it"),
                match nearest {
                    Some(nearest) => format!("did you mean `{nearest}`? if the variable is one of your own, all is well"),
                    None => "the guide lists all that it knows; if the variable is one of your own, all is well".to_owned(),
                },
            ));
        }
    }
    let set = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let set = set.filter(|name| name.starts_with("GREEN_LIGHT_"));
    let mut set: Vec<_> = set
        .filter(|name| unknown.iter().all(|(other, _)| other != name))
        .collect();
    set.sort();
    for (file, name) in in_configuration(&project.root) {
        if !set.contains(&name) {
            findings.push(Finding::note(
                topic,
                format!(
                    "`{file}` names `{name}`, which cargo sets for tests, but not for this command"
                ),
                format!("to see what tests see: `{name}=.. cargo green-light doctor`"),
            ));
        }
    }
    let fact = match &set[..] {
        [] => "none is set".to_owned(),
        _ => format!(
            "set: {}",
            listed(set.iter().map(|name| format!("`{name}`")))
        ),
    };
    findings.insert(0, Finding::good(topic, fact));
    findings
}

/// The variables of green-light in the configuration of cargo, each with the file.
fn in_configuration(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for directory in root.ancestors() {
        for name in [".cargo/config.toml", ".cargo/config"] {
            let file = directory.join(name);
            let text = fs::read_to_string(&file).unwrap_or_default();
            for line in text
                .lines()
                .map(str::trim)
                .filter(|line| line.starts_with("GREEN_LIGHT_"))
            {
                let name = line.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_');
                let name = name.take(1).collect::<String>();
                found.push((file.display().to_string(), name));
            }
        }
    }
    found
}

/// Where green-light has its files.
pub(crate) fn directory() -> Finding {
    let topic = Topic::Directory;
    match checkup::directory() {
        Ok(path) => Finding::good(topic, format!("`{}` can be written", path.display())),
        Err(error) => Finding::told(topic, &error.to_string()),
    }
}
