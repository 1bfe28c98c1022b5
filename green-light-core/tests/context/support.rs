//! What the tests share.

use std::cell::RefCell;
use std::env;
use std::future::{Future, poll_fn};
use std::mem;
use std::process::{Command, Output};
use std::rc::Rc;
use std::task::Poll;

use tokio::runtime::Builder;

/// Drives a future on this thread, as libtest's thread would.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a test needs a runtime").block_on(future)
}

/// What happened, in order, on this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn say(&self, what: impl Into<String>) {
        self.0.borrow_mut().push(what.into());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// Says something when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Is pending once, and wakes at once, on any executor.
pub(crate) async fn pause() {
    let mut paused = false;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if mem::replace(&mut paused, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Runs one ignored test of this binary in a process of its own.
pub(crate) fn in_child(test: &str, variables: &[(&str, &str)]) -> Output {
    let this = env::current_exe().expect("a test binary knows its path");
    let mut command = Command::new(this);
    command.args([test, "--exact", "--ignored", "--test-threads=2"]);
    command.envs(variables.iter().copied());
    command.output().expect("a test binary runs")
}

/// Runs the ignored tests whose name begins so, one after the other, in a process of their own.
pub(crate) fn in_child_all(tests: &str) -> Output {
    let this = env::current_exe().expect("a test binary knows its path");
    let mut command = Command::new(this);
    command.args([tests, "--ignored", "--test-threads=1"]);
    command.output().expect("a test binary runs")
}

/// Both outputs of a process.
pub(crate) fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}
