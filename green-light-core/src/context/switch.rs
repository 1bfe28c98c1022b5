//! Suspends a context from its own stack, and tells its owner how it came back.
//!
//! A context on the stack of its thread (`thread_stack.rs`) is suspended by what drives it, which needs nothing that is
//! unsafe.

#![expect(
    unsafe_code,
    reason = "a suspended stack is reached through a pointer into it"
)]

use std::cell::Cell;
use std::hint::black_box;
use std::{process, ptr, thread};

use generator::Scope;

use crate::context::message;

/// Bytes at the low end of a stack where a `wait` is refused: what the frames above the first marker may take.
const RESERVE: usize = 8 << 10;

/// Suspends a context on the stack of its thread until the argument is true.
pub(crate) type SuspendOnThread = Box<dyn Fn(&dyn Fn() -> bool)>;

/// How a coroutine came back to its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Status {
    /// Not started, or running now.
    #[default]
    Running,
    Suspended,
    Finished,
    /// It suspended itself and will never be resumed.
    Abandoned,
}

/// What both sides of a stack switch share.
#[derive(Default)]
pub(crate) struct Switch {
    /// Suspends a context on the stack of its thread until its owner lets it run; a stack of its own without.
    thread: Option<SuspendOnThread>,
    status: Cell<Status>,
    /// The `Scope` to suspend with, on the coroutine's own stack; null before and after the closure runs.
    scope: Cell<*mut ()>,
    /// Where the closure's result goes: an `Option<thread::Result<T>>` of the owner that resumed it last.
    pub(crate) out: Cell<*mut ()>,
    /// The addresses of this stack on which the closure's frames lie.
    low: Cell<usize>,
    high: Cell<usize>,
}

impl Switch {
    /// The switch of a context on the stack of its thread.
    pub(crate) fn on_thread(suspend: SuspendOnThread) -> Self {
        Self {
            thread: Some(suspend),
            ..Self::default()
        }
    }

    /// Whether the caller runs on this very stack.
    #[inline]
    pub(crate) fn on_stack(&self) -> bool {
        if self.thread.is_some() {
            // Neither the executor nor another context, which `is_generator` would report. So it is the
            // thread's own stack, or more of it, as `stacker` gives to deep recursion.
            return !generator::is_generator();
        }
        let here = address_here();
        self.low.get() <= here && here < self.high.get()
    }

    /// Whether the coroutine waits to be resumed.
    #[inline]
    pub(crate) fn is_suspended(&self) -> bool {
        self.status.get() == Status::Suspended
    }

    /// Suspends this coroutine until its owner resumes it.
    #[inline]
    pub(crate) fn suspend(&self) {
        self.leave(Status::Suspended);
    }

    /// Suspends this coroutine for good.
    #[cold]
    pub(crate) fn abandon(&self) -> ! {
        self.leave(Status::Abandoned);
        // The owner leaks the stack when it sees the status, or strands its thread, so it is never resumed.
        process::abort()
    }

    /// Notes that its owner lets the context run.
    #[inline]
    pub(crate) fn begin(&self) {
        self.status.set(Status::Running);
    }

    /// Notes that the closure has ended.
    #[inline]
    pub(crate) fn finish(&self) {
        self.status.set(Status::Finished);
    }

    /// What it came back to its owner with, whose closure leaves its result in `result`.
    #[inline]
    pub(crate) fn step<T>(&self, result: impl FnOnce() -> Option<thread::Result<T>>) -> Step<T> {
        match self.status.get() {
            Status::Suspended => Step::Suspended,
            Status::Finished => {
                Step::Finished(result().expect("a closure leaves its result before it is finished"))
            }
            Status::Abandoned => Step::Abandoned,
            Status::Running => {
                // Its stack was left by other means than `Switch::suspend`, which takes unsafe code of others.
                message::tell(message::foreign_suspension());
                process::abort()
            }
        }
    }

    /// Notes the stack that a closure is going to run on, from inside of it: `size` bytes below the caller.
    ///
    /// # Safety
    ///
    /// `scope` is that of the stack, and lives until [`close`](Self::close) is called.
    pub(crate) unsafe fn open(&self, scope: &mut Scope<'_, 'static, (), ()>, size: usize) {
        let high = address_here();
        self.high.set(high);
        self.low.set(high - size + RESERVE);
        self.scope.set(ptr::from_mut(scope).cast());
    }

    /// Notes that no closure runs there any more.
    pub(crate) fn close(&self) {
        self.scope.set(ptr::null_mut());
    }

    #[inline]
    fn leave(&self, status: Status) {
        if let Some(suspend) = &self.thread {
            assert!(
                self.status.get() == Status::Running && self.on_stack(),
                "a context is suspended from its own stack only"
            );
            self.status.set(status);
            suspend(&|| self.status.get() == Status::Running);
            return;
        }
        let scope = self.scope.get();
        assert!(
            !scope.is_null() && self.status.get() == Status::Running && self.on_stack(),
            "a coroutine is suspended from its own stack only"
        );
        self.status.set(status);
        // SAFETY: `scope` points at what `open` got, which by its contract lives as long as the closure runs, and
        // the closure runs now because we are on its stack (checked above). Nothing else borrows it: it is used
        // in this function only, which does not call itself. Its type is the one it was made from, with the
        // lifetimes that it cannot outlive.
        let scope = unsafe { &mut *scope.cast::<Scope<'_, 'static, (), ()>>() };
        scope.yield_with(());
    }
}

#[inline(always)]
fn address_here() -> usize {
    let marker = 0_u8;
    ptr::from_ref(black_box(&marker)).addr()
}

/// What a resume led to.
pub(crate) enum Step<T> {
    Suspended,
    Finished(thread::Result<T>),
    /// It suspended itself for good.
    Abandoned,
}
