//! In place of the client, on systems on which a `run` fixture cannot be kept.

use crate::report::failure::Failure;
use crate::run_scope::answer::Answer;
use crate::run_scope::instance_id::InstanceId;

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
