//! The error of a `wait` that has no context to suspend.

use std::error::Error;
use std::fmt;

/// There is no coroutine context to suspend here.
///
/// [`try_wait`](super::try_wait) returns it, [`wait`](super::wait()) panics with its text. The text says why
/// there is none and what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingContext {
    reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Nothing on this thread runs in a context.
    NoContext,
    /// The same, in a task that was spawned onto a runtime.
    SpawnedTask,
    /// In a coroutine of may: a member of a crowd.
    #[cfg(feature = "crowd")]
    CrowdMember,
    /// A context is there, but other code runs on another stack inside it.
    OtherStack,
}

impl MissingContext {
    pub(crate) fn new(reason: Reason) -> Self {
        Self { reason }
    }

    /// The reason when no context is entered on this thread.
    #[cold]
    pub(crate) fn explain() -> Self {
        #[cfg(feature = "crowd")]
        if may::coroutine::is_coroutine() {
            return Self::new(Reason::CrowdMember);
        }
        Self::new(if tokio::task::try_id().is_some() {
            Reason::SpawnedTask
        } else {
            Reason::NoContext
        })
    }
}

impl fmt::Display for MissingContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            Reason::NoContext => {
                "no green-light context on this thread\n  \
                 help: call this from a test marked `#[green_light::test]` (without `context = false` and \
                 without `GREEN_LIGHT_AUTOUSE=0`), or wrap it in `context::run_sync(move || ..).await`"
            }
            Reason::SpawnedTask => {
                "no green-light context in a spawned task; the context of a test stays on the test's own \
                 thread\n  \
                 help: write `.await` instead of `wait` in the task, or spawn it onto a `LocalSet` and wrap \
                 the synchronous part in `context::run_sync(move || ..).await`"
            }
            #[cfg(feature = "crowd")]
            Reason::CrowdMember => {
                "no green-light context in a crowd member, which is a may coroutine\n  \
                 help: write `member.wait(future)`"
            }
            Reason::OtherStack => {
                "this code runs on another coroutine's stack inside the green-light context, which cannot \
                 be suspended from there\n  \
                 help: call `wait` outside that coroutine, or wrap the coroutine's caller instead"
            }
        })
    }
}

impl Error for MissingContext {}
