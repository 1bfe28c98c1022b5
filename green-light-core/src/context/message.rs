//! The sentences that contexts say to users.
//!
//! Lowercase, fact first, then a `help:` line with what to write instead.

use std::fmt;
use std::io::{self, Write};
use std::panic::Location;
use std::thread;
use std::time::Duration;

use crate::context::settings::{DROP_TIMEOUT, STACK_SIZE, STALL_TIMEOUT};

/// Where a wait is in the user's code.
#[derive(Clone)]
pub(crate) enum Place {
    /// The line that calls `wait`.
    Line(&'static Location<'static>),
    /// Something that has a name of its own, such as a test body.
    Named(std::rc::Rc<str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(location) => write!(f, "{}:{}", location.file(), location.line()),
            Place::Named(name) => f.write_str(name),
        }
    }
}

/// Writes to the process's own standard error, past libtest's output capture: these lines matter most when
/// the test never ends.
pub(crate) fn tell(text: &str) {
    // Nothing is left to do when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

pub(crate) fn no_stack(size: usize, reason: &str) -> String {
    format!(
        "no stack of {size} bytes for a coroutine context: {reason}\n  \
         help: set `{STACK_SIZE}` lower, or keep fewer contexts suspended at once"
    )
}

pub(crate) fn stack_overflow(test: Option<&str>, size: usize) -> String {
    format!(
        "{} has overflowed the stack of its coroutine context ({size} bytes)\n  \
         help: set `{STACK_SIZE}` higher, such as `{STACK_SIZE}={}M`, or look for endless recursion",
        who(test),
        (size * 4).div_ceil(1 << 20),
    )
}

#[cfg(feature = "crowd")]
pub(crate) fn member_overflow(index: usize, size: usize) -> String {
    format!(
        "crowd member {index} has overflowed its stack ({size} bytes)\n  \
         help: look for endless recursion, or move large values of the member to the heap"
    )
}

pub(crate) fn abandoned(test: Option<&str>, place: Option<&Place>, limit: Duration) -> String {
    let place = place.map_or_else(String::new, |place| format!(" at {place}"));
    format!(
        "{}: a cancelled coroutine context was still waiting{place} after {limit:?}; its stack is \
         abandoned and the values on it are never dropped\n  \
         help: shorten the `wait` in the destructor, or set `{DROP_TIMEOUT}` higher",
        who(test)
    )
}

pub(crate) fn foreign_suspension() -> &'static str {
    "a coroutine of another library suspended a green-light context from inside\n  \
     help: suspend a context with `wait` only"
}

pub(crate) fn not_the_executor() -> &'static str {
    "a context on the stack of its thread was polled in another context\n  \
     help: poll it where it was polled first"
}

#[cfg(feature = "crowd")]
pub(crate) fn inside_may() -> &'static str {
    "a coroutine context cannot be entered on a may coroutine, which moves between threads\n  \
     help: use `member.wait(future)` in a crowd member"
}

pub(crate) fn stalled(
    test: Option<&str>,
    inner: &Place,
    outer: &Place,
    waited: Duration,
    fails_after: Option<Duration>,
) -> String {
    let fate = fails_after.map_or_else(String::new, |limit| {
        format!("; it fails after {limit:?} (`{STALL_TIMEOUT}`)")
    });
    format!(
        "{}: `wait` at {inner} has waited {waited:.1?} inside a future that is being waited for at {outer}; \
         nothing else in that future makes progress meanwhile{fate}\n  \
         help: write `.await` instead of `wait` in async code, or give the synchronous part a context of its \
         own: `context::run_sync(move || ..).await`",
        who(test)
    )
}

/// "test `name`", from the runner or from the thread that libtest named.
fn who(test: Option<&str>) -> String {
    let thread = thread::current();
    match test.or_else(|| thread.name()) {
        Some(name) => format!("test `{name}`"),
        None => "an unnamed thread".to_owned(),
    }
}
