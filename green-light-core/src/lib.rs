//! Internals of green-light.

pub(crate) mod blocking;
pub(crate) mod config;
pub mod context;
#[cfg(feature = "crowd")]
pub(crate) mod crowd;
pub(crate) mod env;
pub mod fixture;
pub(crate) mod messages;
pub(crate) mod mutex;
pub(crate) mod os;
pub(crate) mod report;
pub(crate) mod run_scope;
pub mod runtime;
pub(crate) mod tasks;
pub(crate) mod test;

#[doc(hidden)]
pub mod __private;

pub use crate::blocking::blocking;
pub use crate::config::check_environment;
#[cfg(feature = "crowd")]
pub use crate::crowd::failure::CrowdFailure;
#[cfg(feature = "crowd")]
pub use crate::crowd::handle::Crowd;
#[cfg(feature = "crowd")]
pub use crate::crowd::member::Member;
pub use crate::env::unknown_variables;
pub use crate::fixture::events::{Wait, wait_for};
pub use crate::mutex::Mutex;
pub use crate::os::at_exit;
pub use crate::report::explain::hint_provider::{Concern, HintProvider, provide_hints};
pub use crate::report::explain::left_behind::left_behind;
pub use crate::report::explain::lookup::help_for;
pub use crate::report::failure::{Failure, causes_of};
pub use crate::report::hook::quietly;
pub use crate::report::print::{note, progress};
pub use crate::report::redact::{
    known::hide_secret,
    text::{redacted, redacted_url},
};
pub use crate::report::remark::remark;
pub use crate::report::rendered::TeardownResult;
pub use crate::report::skip::skip;
pub use crate::tasks::{RunningTest, running_test, spawn};
