//! The panic hook: keeps what a payload does not hold, and adds what the message does not say.
//!
//! * A payload has no place, and a failure that is inherited by other tests needs one. So it is kept
//!   for this thread, until the panic is caught.
//! * On the threads of shared fixtures nothing is printed: the line would not say which test it
//!   belongs to, and the test that triggered the set-up reports it.
//! * On threads that no test reports about, such as those of spawned tasks, a message of the "wrong
//!   runtime" family is explained here, below the message. The same explanation is given once.
//! * A message with a password in it is printed here instead of by the hook that was there before.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;
use std::thread;

use crate::mutex::Mutex;
use crate::report::explain::lookup::{explain_panic, is_known};
use crate::report::explain::thread_context::ThreadContext;
use crate::report::print::say;
use crate::report::redact::text::redacted;

thread_local! {
    static LAST: RefCell<LastPanic> = const { RefCell::new(LastPanic::NONE) };
    static REPORTER: Cell<Reporter> = const { Cell::new(Reporter::None) };
}

/// What reports a panic of a thread, besides the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reporter {
    None,
    /// The test that runs on the thread, in addition to the hook.
    Test,
    /// The test that waits for the thread, alone.
    WaitingTest,
}

/// What the hook knows about a panic and its payload does not.
#[derive(Debug)]
pub(crate) struct LastPanic {
    /// Where it happened.
    pub(crate) place: Option<String>,
    /// What surrounded it, if its message is one that is explained.
    pub(crate) surroundings: Option<ThreadContext>,
}

impl LastPanic {
    const NONE: Self = Self {
        place: None,
        surroundings: None,
    };

    /// The last panic of this thread, if it has not been taken yet.
    pub(crate) fn take() -> Self {
        LAST.replace(Self::NONE)
    }
}

/// Installs the hook, once in a process.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| hook(info, &*previous)));
    });
}

fn hook(info: &PanicHookInfo<'_>, previous: &(dyn Fn(&PanicHookInfo<'_>) + Send + Sync)) {
    let message = info.payload_as_str().unwrap_or_default();
    let surroundings = is_known(message).then(ThreadContext::here);
    let reporter = REPORTER.get();
    if reporter != Reporter::WaitingTest {
        match redacted(message) {
            Cow::Borrowed(_) => previous(info),
            Cow::Owned(shown) => say(&without_password(info, &shown)),
        }
    }
    if let (Reporter::None, Some(place)) = (reporter, &surroundings)
        && let Some(explanation) = explain_panic(message, place)
        && is_new(&explanation)
    {
        say(&format!("note: about the panic above{explanation}"));
    }
    let last = LastPanic {
        place: info.location().map(ToString::to_string),
        surroundings,
    };
    // During the destruction of thread-locals nothing is left that could take it.
    let _ = LAST.try_with(|kept| {
        if let Ok(mut kept) = kept.try_borrow_mut() {
            *kept = last;
        }
    });
}

/// Whether this is said for the first time. A task of a server may panic at each request.
fn is_new(explanation: &str) -> bool {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut said = SAID.lock();
    let is_new = !said.iter().any(|before| before == explanation);
    if is_new {
        said.push(explanation.to_owned());
    }
    is_new
}

/// What the standard library prints of a panic, with `message` for its message.
fn without_password(info: &PanicHookInfo<'_>, message: &str) -> String {
    let thread = thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let place = info
        .location()
        .map_or_else(String::new, ToString::to_string);
    let mut text = format!(
        "\nthread '{name}' panicked at {place}:\n{message}\nnote: a password in this message is hidden"
    );
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        text.push_str(&format!("\nstack backtrace:\n{backtrace}"));
    }
    text
}

/// Keeps panics of this thread from being printed as they happen: what waits for the thread reports them.
pub(crate) fn be_quiet_on_this_thread() {
    REPORTER.set(Reporter::WaitingTest);
}

/// Runs `f`, which catches its panics and expects them: none of them is printed.
pub fn quietly<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(Reporter);

    impl Drop for Restore {
        fn drop(&mut self) {
            REPORTER.set(self.0);
            LastPanic::take();
        }
    }

    install_hook();
    let _restore = Restore(REPORTER.replace(Reporter::WaitingTest));
    f()
}

/// A test runs on this thread and reports its panics, until this is dropped.
#[must_use]
pub(crate) struct Reporting(());

impl Reporting {
    pub(crate) fn begin() -> Self {
        REPORTER.set(Reporter::Test);
        Self(())
    }
}

impl Drop for Reporting {
    fn drop(&mut self) {
        REPORTER.set(Reporter::None);
    }
}
