//! What `cargo green-light databases` does.

use std::process::ExitCode;

use green_light_fixtures::checkup::{self, DatabaseState};
use tokio::runtime::Runtime;

use crate::arguments::{DatabasesAction, DropOptions, ProjectOptions};
use crate::databases::found::{self, Found};
use crate::databases::{choice, list, shell};
use crate::error::Error;
use crate::print::{self, GOOD, count};
use crate::project::Project;
use crate::spinner::Spinner;

/// Looks at the databases, and does with them what was asked.
///
/// # Errors
///
/// When a server cannot be asked, or refuses.
pub(crate) fn run(action: &DatabasesAction, project: &ProjectOptions) -> Result<ExitCode, Error> {
    let project = Project::find(project)?;
    checkup::use_target_directory(project.target.clone());
    let runtime = Runtime::new().map_err(|error| Error::no_runtime(&error))?;
    let all = found::all(&runtime)?;
    match action {
        DatabasesAction::List(options) if options.json => {
            print::json(&all.iter().map(Found::shown).collect::<Vec<_>>())?;
        }
        DatabasesAction::List(options) => list::print(&all, options.all),
        DatabasesAction::Shell(options) => {
            let chosen = match &options.name {
                Some(name) => choice::of_name(&all, name)?,
                None => choice::latest_kept(&all)?,
            };
            return shell::open(chosen, &options.arguments);
        }
        DatabasesAction::Keep(options) => {
            for name in &options.names {
                let chosen = choice::of_name(&all, name)?;
                let name = &chosen.database.name;
                runtime.block_on(checkup::keep_database(chosen.backend, name))?;
                anstream::println!(
                    "{GOOD}kept{GOOD:#} {name}, at {}",
                    chosen.database.url.redacted()
                );
            }
        }
        DatabasesAction::Drop(options) => return drop_all(&runtime, &all, options),
    }
    Ok(ExitCode::SUCCESS)
}

/// Drops what was named, or all that is left. One that cannot be dropped keeps no other one from it.
fn drop_all(runtime: &Runtime, all: &[Found], options: &DropOptions) -> Result<ExitCode, Error> {
    let wanted = match &options.names[..] {
        [] => all
            .iter()
            .filter(|found| match found.database.state {
                DatabaseState::Left => true,
                DatabaseState::Kept => options.kept,
                _ => false,
            })
            .collect(),
        names => {
            let chosen = names.iter().map(|name| choice::of_name(all, name));
            chosen.collect::<Result<Vec<_>, _>>()?
        }
    };
    let (mut dropped, mut is_well) = (0, true);
    for found in &wanted {
        let name = &found.database.name;
        let spinner = Spinner::start(format!("dropping {name}"));
        let ended = runtime.block_on(checkup::drop_database(found.backend, name));
        drop(spinner);
        match ended {
            Ok(()) => {
                dropped += 1;
                anstream::println!("{GOOD}dropped{GOOD:#} {name}{}", list::of(found));
            }
            Err(error) => {
                is_well = false;
                Error::from(error).print();
            }
        }
    }
    if wanted.is_empty() {
        let kept = all
            .iter()
            .filter(|found| found.database.state == DatabaseState::Kept);
        match kept.count() {
            0 => anstream::println!("no database is left"),
            kept => anstream::println!(
                "no database is left; {} stay: `--kept` drops them, too",
                count(kept, "kept one")
            ),
        }
    } else {
        anstream::println!("{} dropped", count(dropped, "database"));
    }
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}
