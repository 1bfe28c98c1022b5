//! The life of a test, step by step.
//!
//! 1. Its fixtures are planned; a mistake in the graph ends it here.
//! 2. Around fixtures wrap what follows, the coroutine context first.
//! 3. Set-up, body and teardown ([`phases`]): teardown runs whatever became of the others.
//! 4. If it was the last planned test of its module or of the process, their fixtures end
//!    ([`schedule`]), charged to it.
//! 5. Everything that failed is printed, and libtest is told by one panic ([`run`]).

mod at_exit;
mod body;
mod case;
mod deadline;
mod drive;
mod dynamic;
mod events;
mod given;
mod hints;
mod libtest_args;
mod options;
mod outcome;
mod phases;
mod run;
mod schedule;
mod stranded;
mod verdict;

pub use case::TestMeta;
pub use options::{Drive, Options, Xfail};
pub use run::run_test;

pub(crate) use deadline::{Expired, Phase};
pub(crate) use outcome::FixtureFailure;
