//! What drives a test: the shared runtime or one of its own, with a `LocalSet` or without, with a
//! clock that goes on or one that is paused.
//!
//! A paused clock stands still from the first set-up of the test's own to the last teardown of its
//! own. While a shared fixture works on its thread the clock goes on: a runtime with nothing to do
//! would jump to its next timer, which may be the deadline of the test.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use tokio::sync::Notify;
use tokio::task::{self, LocalSet};
use tokio::time;

use crate::context::thread_stack::call_on_thread_stack;
use crate::context::thread_stack::is_beside_thread_stack;
use crate::fixture::test_meta::TestMeta;
use crate::fixture::test_options::RuntimeChoice;
use crate::runtime::enter::RuntimeError;
use crate::runtime::private::block_on_private;
use crate::runtime::private::private;
use crate::runtime::shared::block_on;

/// Runs `test` to its end.
pub(crate) fn drive<T>(meta: &TestMeta, test: impl Future<Output = T>) -> Result<T, RuntimeError> {
    // A `LocalSet` is outside of the context, so that a `wait` does not stop its tasks.
    let set = meta.options.local.then(LocalSet::new);
    let is_private = match meta.options.runtime {
        RuntimeChoice::Shared => false,
        RuntimeChoice::CurrentThread | RuntimeChoice::Paused => true,
    };
    match (set, is_private) {
        (set, true) if is_beside_thread_stack() => beside_a_private_runtime(test, set),
        (Some(set), true) => block_on_private(set.run_until(test)),
        (None, true) => block_on_private(test),
        (Some(set), false) => block_on(beside_local_tasks(test, set)),
        (None, false) => block_on(test),
    }
}

/// As [`LocalSet::run_until`], but its tasks run on the stack of this thread, as the test does: above it, while it
/// waits. On the executor's coroutine, code that measures its stack would be misled.
async fn beside_local_tasks<T>(test: impl Future<Output = T>, set: LocalSet) -> T {
    let set = Rc::new(RefCell::new(set));
    let mut test = pin!(test);
    let output = poll_fn(|cx| {
        let polled = {
            let _entered = set.borrow().enter();
            test.as_mut().poll(cx)
        };
        if polled.is_pending() {
            let (set, waker) = (Rc::clone(&set), cx.waker().clone());
            call_on_thread_stack(move || {
                let mut set = set.borrow_mut();
                // It wakes this task whenever one of its own can go on.
                let _ = Pin::new(&mut *set).poll(&mut Context::from_waker(&waker));
            });
        }
        polled
    })
    .await;
    call_on_thread_stack(move || drop(set));
    output
}

/// Runs `test` on a runtime of its own, whose tasks have the stack of this thread, as in [`beside_local_tasks`].
///
/// A runtime runs its tasks where it is driven. So it is driven above the test, again whenever that waits, while
/// what keeps the test is driven by the shared runtime.
fn beside_a_private_runtime<T>(
    test: impl Future<Output = T>,
    set: Option<LocalSet>,
) -> Result<T, RuntimeError> {
    let private = Rc::new(private()?);
    let mut set = set.map(Rc::new);
    let woken = Arc::new(Woken(Notify::new()));
    let waker = Waker::from(Arc::clone(&woken));
    let mut test = pin!(test);
    let output = block_on(poll_fn(|cx| {
        let _entered = private.enter();
        let polled = {
            let _entered = set.as_ref().map(|set| set.enter());
            test.as_mut().poll(&mut Context::from_waker(&waker))
        };
        if polled.is_pending() {
            let (private, set, woken) = (Rc::clone(&private), set.clone(), Arc::clone(&woken));
            call_on_thread_stack(move || {
                // Its tasks get their turn also if the test can go on at once.
                let until_woken = async {
                    task::yield_now().await;
                    woken.0.notified().await;
                };
                // A runtime inside a runtime, which tokio allows where a thread may be blocked.
                task::block_in_place(|| match &set {
                    Some(set) => private.block_on(set.run_until(until_woken)),
                    None => private.block_on(until_woken),
                });
            });
            cx.waker().wake_by_ref();
        } else {
            let set = set.take();
            call_on_thread_stack(move || drop(set));
        }
        polled
    }));
    call_on_thread_stack(move || drop(private));
    output
}

/// Ends the driving of a private runtime when the test can go on.
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.notify_one();
    }
}

/// The clock of a test's own runtime.
#[derive(Debug, Default)]
pub(crate) struct Pause(Cell<bool>);

impl Pause {
    pub(crate) fn set(&self, paused: bool) {
        if self.0.replace(paused) != paused {
            if paused {
                time::pause();
            } else {
                time::resume();
            }
        }
    }
}
