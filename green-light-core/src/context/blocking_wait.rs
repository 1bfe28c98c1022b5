//! Waits in a destructor while its context is being dropped: the context is not polled any more.
//!
//! The thread blocks, and for a bounded time; then the stack is abandoned.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::task;

use crate::context::frame::Frame;
use crate::context::settings::Limits;

/// Polls `future` on this thread until it is ready, or abandons the context.
#[cold]
pub(crate) fn drive<F: Future>(frame: &Frame, mut future: Pin<&mut F>) -> F::Output {
    let give_up_at = frame.give_up_at.get().unwrap_or_else(|| {
        let give_up_at = Instant::now() + Limits::current().drop_timeout;
        frame.give_up_at.set(Some(give_up_at));
        give_up_at
    });
    // Timers and sockets made in the destructor need a runtime, also when the drop happens outside of it.
    let runtime = if Handle::try_current().is_err() {
        frame.runtime()
    } else {
        None
    };
    let _entered = runtime.as_ref().map(Handle::enter);
    let unpark = Arc::new(Unpark {
        thread: thread::current(),
        woken: AtomicBool::new(false),
    });
    let waker = Waker::from(Arc::clone(&unpark));
    let mut context = Context::from_waker(&waker);
    // The task around us may have used up its budget, which is renewed between its polls only.
    let mut future = task::unconstrained(future.as_mut());
    loop {
        if let Poll::Ready(output) = Pin::new(&mut future).poll(&mut context) {
            return output;
        }
        while !unpark.woken.swap(false, Ordering::AcqRel) {
            let now = Instant::now();
            if now >= give_up_at {
                frame.switch.abandon();
            }
            thread::park_timeout(give_up_at - now);
        }
        if Instant::now() >= give_up_at {
            frame.switch.abandon();
        }
    }
}

struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
