//! The subcommands, one file each; [`list`] has them all.

mod bench;
mod conformance;
mod coverage;
mod features;
mod guide;
mod list;
mod mutants;
mod observe;
mod strangers;
mod test;

pub(crate) use list::{COMMANDS, help};
