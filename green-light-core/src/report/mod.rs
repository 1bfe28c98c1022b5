//! Where the sentences a user reads are made, and only here: one voice, and one place to test it.

pub(crate) mod debug;
pub(crate) mod durations;
pub(crate) mod events;
mod explain;
mod failure;
mod hook;
mod label;
pub(crate) mod listing;
mod panics;
mod plan_error;
mod print;
mod redact;
mod remark;
mod rendered;
pub(crate) mod show;
mod skip;
pub(crate) mod text;

pub use explain::{Adviser, Concern, advise, help_for, left_behind};
pub use failure::{Failure, causes_of};
pub use hook::quietly;
pub use print::{note, progress};
pub use redact::{redacted, redacted_url};
pub use remark::remark;
pub use rendered::{RenderBoxed, RenderDebug, RenderError, Rendered, TeardownResult};
pub use skip::skip;

pub(crate) use failure::{is_raised, raise};
pub(crate) use hook::{Reporting, be_quiet_on_this_thread, install_hook};
pub(crate) use label::Label;
pub(crate) use panics::{
    CatchAll, caught, caught_drop, caught_payload, failure_of, without_passwords,
};
pub(crate) use plan_error::PlanError;
pub(crate) use print::{say, say_to_terminal};
pub(crate) use remark::print as remark_all;
