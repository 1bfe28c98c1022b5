//! The life of a test, step by step.
//!
//! 1. Its fixtures are planned; a mistake in the graph ends it here.
//! 2. Around fixtures wrap what follows, the coroutine context first.
//! 3. Set-up, body and teardown ([`test_run`]): teardown runs whatever became of the others.
//! 4. If it was the last planned test of its module or of the process, their fixtures end
//!    ([`last_test`]), charged to it.
//! 5. Everything that failed is printed, and one panic reports the failure to libtest ([`run`]).

pub(crate) mod at_exit;
pub(crate) mod deadline;
pub(crate) mod dynamic;
pub(crate) mod events;
pub(crate) mod hints;
#[cfg(target_os = "linux")]
pub(crate) mod keeper;
pub(crate) mod last_test;
pub(crate) mod libtest_args;
pub(crate) mod outcome;
pub(crate) mod run;
pub(crate) mod runtime_choice;
pub(crate) mod stranded;
pub(crate) mod test_run;
pub(crate) mod verdict;
