//! `cargo xtask observe`: what a hostile test leaves for the next one to see.

use super::list::Command;
use crate::step::Step;

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "observe",
    about: "looks whether anything that one test does is seen by the next",
    details: "\
DATABASE    `sqlite`, `postgres` or `mysql`; without it, one after the other

Each text of a large corpus is sent by a test of its own, in all three isolations and in every way that leads to a
database. All that the next test can observe is compared with what the first test observed. Prints a table of what
became of the texts; fails if anything was seen that the table in src/docs/traps.md does not allow.",
    run,
};

const DATABASES: [&str; 3] = ["sqlite", "postgres", "mysql"];

pub(super) fn run(arguments: &[String]) -> Result<(), String> {
    let chosen = match arguments {
        [] => DATABASES.to_vec(),
        [name] if DATABASES.contains(&name.as_str()) => vec![name.as_str()],
        _ => {
            return Err(format!(
                "unexpected arguments `{}`\n  help: write one of `{}`, or nothing for all of them",
                arguments.join(" "),
                DATABASES.join("`, `")
            ));
        }
    };
    for database in chosen {
        Step::cargo(["test", "--locked", "--quiet", "-pgreen-light-fixtures"])
            .arg("--all-features")
            .arg("--test=it")
            .arg(format!("observe::{database}"))
            .arg("--")
            .arg("--nocapture")
            .env("GREEN_LIGHT_OBSERVE", "all")
            .run()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_arguments_are_refused() {
        for arguments in [vec!["oracle"], vec!["sqlite", "mysql"]] {
            let arguments: Vec<_> = arguments.into_iter().map(str::to_owned).collect();
            let error = run(&arguments).unwrap_err();
            assert!(error.contains("`sqlite`, `postgres`, `mysql`"), "{error}");
        }
    }
}
