//! Internals of green-light.

mod blocking;
mod config;
pub mod context;
#[cfg(feature = "crowd")]
mod crowd;
pub mod fixture;
mod process;
mod report;
pub mod runtime;
mod tasks;
mod test;
mod variables;

#[doc(hidden)]
pub mod __private;

pub use blocking::blocking;
#[cfg(feature = "crowd")]
pub use crowd::{Crowd, CrowdFailure, Member};
pub use process::at_exit;
pub use report::{
    Adviser, Concern, Failure, TeardownResult, advise, causes_of, help_for, left_behind, note,
    progress, quietly, redacted, redacted_url, remark, skip,
};
pub use tasks::spawn;
