//! What a request for a `run` fixture got.

use crate::report::failure::Failure;

/// What a request for a `run` fixture got.
pub(crate) struct Answer {
    /// The value as JSON, or why there is none.
    pub(crate) outcome: Result<String, Failure>,
    /// The keeper, if this process has started it.
    pub(crate) started: Option<Started>,
    /// What went wrong in the teardown of an earlier run.
    pub(crate) earlier: Option<Failure>,
}

/// A keeper that this process has started, when its set-up has ended.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    /// Its number.
    pub(crate) process: u32,
    /// What it has printed until then, with where its log is; `None` if that is nothing.
    pub(crate) printed: Option<String>,
}
