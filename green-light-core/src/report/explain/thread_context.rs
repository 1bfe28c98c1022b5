//! Where a panic happened, as far as runtimes and contexts go.

use std::fmt;
use std::thread;

use tokio::runtime::{Handle, Id, RuntimeFlavor};

use crate::context::wait::is_active;
use crate::runtime::shared::is_shared;

/// What surrounds the code that panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThreadContext {
    thread: String,
    runtime: Around,
    runtime_id: Option<Id>,
    context: bool,
}

/// The tokio runtime that code runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    None,
    /// The one all tests share.
    Shared,
    OneThread,
    ManyThreads,
}

impl ThreadContext {
    /// The place of the caller.
    pub(crate) fn here() -> Self {
        let thread = thread::current();
        let thread = thread.name().map_or_else(
            || "a thread without a name".to_owned(),
            |name| format!("thread `{name}`"),
        );
        Self {
            thread,
            runtime: Around::here(),
            runtime_id: Handle::try_current().ok().map(|handle| handle.id()),
            context: is_active(),
        }
    }

    /// With the number that tokio gives to the runtime.
    pub(crate) fn with_id(&self) -> String {
        match self.runtime_id {
            Some(id) => format!("{self} (runtime {id})"),
            None => self.to_string(),
        }
    }
}

impl Around {
    fn here() -> Self {
        let Ok(handle) = Handle::try_current() else {
            return Self::None;
        };
        if is_shared(&handle) {
            return Self::Shared;
        }
        match handle.runtime_flavor() {
            RuntimeFlavor::CurrentThread => Self::OneThread,
            _ => Self::ManyThreads,
        }
    }
}

impl fmt::Display for ThreadContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runtime = match self.runtime {
            Around::None => "in no tokio runtime",
            Around::Shared => "in the tokio runtime that all tests share",
            Around::OneThread => "in a tokio runtime of one thread, not the one that tests share",
            Around::ManyThreads => {
                "in a tokio runtime of several threads, not the one that tests share"
            }
        };
        let context = if self.context { "in" } else { "outside of" };
        write!(
            f,
            "{}, {runtime}, {context} a coroutine context",
            self.thread
        )
    }
}
