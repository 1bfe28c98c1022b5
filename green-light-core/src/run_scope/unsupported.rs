//! In place of the client, on systems on which a `run` fixture cannot be kept.

use crate::report::failure::Failure;
use crate::run_scope::instance_id::InstanceId;

/// What a request for a `run` fixture got.
pub(crate) struct Answer {
    /// The value as JSON, or why there is none.
    pub(crate) outcome: Result<String, Failure>,
    /// Whether this process has started the keeper.
    pub(crate) started: bool,
    /// What went wrong in the teardown of an earlier run.
    pub(crate) earlier: Option<Failure>,
}

/// Fails.
///
/// # Errors
///
/// Always.
pub(crate) fn request(instance: InstanceId, _test: &str) -> Result<Answer, Failure> {
    Err(Failure::new(format!(
        "a fixture of scope `run` is kept by a process of its own, which works on Linux alone so far\n  \
         help: write `scope = \"process\"` for fixture `{}` on this system",
        instance.fixture
    )))
}
