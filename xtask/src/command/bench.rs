//! `cargo xtask bench`: green-light against its peers.

use std::path::Path;

use super::list::Command;
use crate::bench;

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "bench",
    about: "times green-light against its peers, as ratios",
    details: "\
noop graph database start build   what to measure; without a word, all of it
--rounds N                        how often each takes its turn (21)

Renders the sources of benches/ into a project below the target directory, builds it optimised and
runs what is compared in turn. A figure above what is promised is marked, and is no failure: on
another machine, or a busy one, it may be another.",
    run,
};

const ROUNDS: usize = 21;

fn run(arguments: &[String]) -> Result<(), String> {
    let (mut groups, mut rounds): (Vec<&bench::Group>, _) = (Vec::new(), ROUNDS);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => {
                let number = arguments.next().and_then(|number| number.parse().ok());
                rounds = number
                    .filter(|rounds| *rounds > 0)
                    .ok_or("`--rounds` needs a number above 0")?;
            }
            name => {
                let group = bench::GROUPS.iter().find(|group| group.name == name);
                groups.push(group.ok_or_else(|| {
                    format!(
                        "unexpected argument `{name}`\n  help: `cargo xtask bench --help` lists what it takes"
                    )
                })?);
            }
        }
    }
    if groups.is_empty() {
        groups.extend(&bench::GROUPS);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("xtask stands in no workspace")?;
    bench::run(root, &groups, rounds)
}
