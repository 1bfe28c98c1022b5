//! `skip`: a test or fixture that finds out while it runs that it has nothing to do here.

use std::fmt::Display;

use crate::report::failure::{Failure, raise};

/// Ends the running test, or the fixture being set up, without failing anything.
///
/// In a fixture it is kept like a value: the tests that need the fixture are skipped too, each in
/// its scope. Teardown runs as always. libtest knows no skip at run time, so the test passes, and
/// says `skipped: why` on the terminal and in the event log. `GREEN_LIGHT_SKIP=fail` turns it into a
/// failure, for a CI that has to run everything.
///
/// It unwinds, without a panic message, so it has to be called where the test or fixture runs: in a
/// spawned task, it ends the task.
///
/// ```no_run
/// use green_light_core::skip;
///
/// if std::env::var_os("DOCKER_HOST").is_none() {
///     skip("needs Docker");
/// }
/// ```
pub fn skip(reason: impl Display) -> ! {
    raise(Failure::skip(reason.to_string()))
}
