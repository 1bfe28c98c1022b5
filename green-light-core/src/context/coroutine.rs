//! Runs a closure on a stack of its own: the unsafe part of contexts.
//!
//! Invariants, each upheld in this file:
//!
//! * A coroutine runs only inside [`Coroutine::start`] or [`Coroutine::resume`], on the thread that called
//!   them; nothing here is `Send` but an [`IdleStack`], on which nothing stands.
//! * A coroutine that is suspended is either resumed by its owner or its stack is leaked. The destructor of
//!   `generator` never sees a suspended one: it would do nothing while the thread panics, and else throw a
//!   panic of its own.
//! * No panic leaves the closure: it is caught on the coroutine's own stack and handed over as a result.
//! * After a stack overflow nothing runs on that stack again: the process is aborted.

#![expect(unsafe_code, reason = "a closure is moved to another stack")]

use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::{ptr, thread};

use generator::{Gn, LocalGenerator, Scope};

use crate::context::frame::Frame;
use crate::context::message;
use crate::context::overflow::AbortOnOverflow;
use crate::context::switch::{Step, Switch};

/// A stack with no closure on it, or with one that [`Coroutine`] looks after.
pub(crate) struct Stack {
    generator: ManuallyDrop<LocalGenerator<'static, (), ()>>,
    frame: Rc<Frame>,
    size: usize,
}

impl Stack {
    /// Maps a new stack.
    ///
    /// # Panics
    ///
    /// When the system has no memory for it.
    pub(crate) fn map(size: usize) -> Self {
        // An odd number of words would make `generator` touch every page of the stack.
        let words = (size / size_of::<usize>()) & !1;
        let made =
            panic::catch_unwind(|| Gn::new_scoped_opt_local(words, |_: Scope<'_, '_, (), ()>| ()));
        let mut generator = match made {
            Ok(generator) => generator,
            Err(reason) => {
                let reason = reason
                    .downcast_ref::<String>()
                    .map_or("unknown", String::as_str);
                panic!("{}", message::no_stack(size, reason))
            }
        };
        // The closure has not started: this drops it and leaves a stack that can be used again and again.
        generator.cancel();
        Self {
            generator: ManuallyDrop::new(generator),
            frame: Rc::new(Frame::new()),
            size,
        }
    }

    /// Puts `entry(launch)` on the stack; the next resume runs it.
    ///
    /// # Safety
    ///
    /// `entry(launch, ..)` must be sound to call on this thread at the next resume.
    unsafe fn launch(&mut self, entry: Entry, launch: *mut ()) {
        let frame = Rc::clone(&self.frame);
        let size = self.size;
        self.generator
            .scoped_init(move |mut scope: Scope<'_, 'static, (), ()>| {
                let switch = &frame.switch;
                // SAFETY: `scope` is that of this stack, and lives until the call of `close` below: neither `entry`
                // nor anything else here unwinds.
                unsafe { switch.open(&mut scope, size) };
                // SAFETY: our caller promised that this call is sound at the first resume, which is now.
                unsafe { entry(launch, switch) };
                switch.close();
            });
    }
}

/// A stack that belongs to no thread: what an ended thread leaves to the next.
pub(crate) struct IdleStack(Stack);

// SAFETY: `IdleStack::new` alone makes one. Its generator is done: no frame and no closure is on it, and its own
// counts live on it and are reached through it alone. Its `Frame` is new, so the `Rc` is not shared.
unsafe impl Send for IdleStack {}

impl IdleStack {
    pub(crate) fn new(mut stack: Stack) -> Option<Self> {
        stack.frame = Rc::new(Frame::new());
        stack.generator.is_done().then_some(Self(stack))
    }

    pub(crate) fn into_stack(self) -> Stack {
        self.0
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let (total, used) = self.generator.stack_usage();
        // `generator` panics when it drops a stack that was used to its last word. Leak that one, and one
        // that is suspended, which `Coroutine` never hands to us.
        if used < total && self.generator.is_done() {
            // SAFETY: the field is not used again, because `self` is being dropped.
            unsafe { ManuallyDrop::drop(&mut self.generator) };
        }
    }
}

/// Moves the closure at the pointer onto the coroutine's stack and calls it.
type Entry = unsafe fn(*mut (), &Switch);

/// # Safety
///
/// `launch` points at an `Option<F>` that holds a closure, and whenever the coroutine runs, `switch.out`
/// points at an `Option<thread::Result<T>>`.
unsafe fn enter<F: FnOnce() -> T, T>(launch: *mut (), switch: &Switch) {
    // SAFETY: by contract; `Coroutine::start` keeps the place alive and borrows it to nothing else.
    let closure = unsafe { &mut *launch.cast::<Option<F>>() }.take();
    let closure = closure.expect("`start` fills the place before it launches");
    let result = panic::catch_unwind(AssertUnwindSafe(closure));
    // SAFETY: by contract; `Coroutine::switch` points `out` at a local of its own before each resume, and does
    // not touch that local until the coroutine has come back.
    unsafe { *switch.out.get().cast::<Option<thread::Result<T>>>() = Some(result) };
    switch.finish();
}

/// A closure on a stack of its own.
///
/// Dropping one that is suspended leaks its stack: its owner decides about unwinding first.
pub(crate) struct Coroutine<T> {
    stack: ManuallyDrop<Stack>,
    /// Neither `Send` nor `Sync`, and invariant in the result.
    result: PhantomData<*mut T>,
}

impl<T> Coroutine<T> {
    /// Takes a stack for a closure.
    pub(crate) fn new(stack: Stack) -> Self {
        stack.frame.switch.begin();
        Self {
            stack: ManuallyDrop::new(stack),
            result: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn frame(&self) -> &Rc<Frame> {
        &self.stack.frame
    }

    /// Runs `closure` until it suspends or ends.
    ///
    /// `F: 'static` because a leaked coroutine leaks what is on its stack, such as a
    /// `std::thread::scope` whose threads go on using what the closure borrowed.
    pub(crate) fn start<F: FnOnce() -> T + 'static>(&mut self, closure: F) -> Step<T> {
        let mut place = Some(closure);
        // SAFETY: `place` is an `Option<F>` with a closure in it, which outlives the first resume below, and
        // `enter` uses it during that resume only; `switch` points `out` at the right type, because `T` is
        // fixed for this coroutine.
        unsafe {
            self.stack
                .launch(enter::<F, T>, ptr::from_mut(&mut place).cast());
        };
        self.switch()
    }

    /// Lets a suspended coroutine run until it suspends again or ends.
    #[inline]
    pub(crate) fn resume(&mut self) -> Step<T> {
        assert!(
            self.frame().switch.is_suspended(),
            "only a suspended coroutine is resumed"
        );
        self.switch()
    }

    #[inline]
    fn switch(&mut self) -> Step<T> {
        let mut out: Option<thread::Result<T>> = None;
        let Stack {
            generator,
            frame,
            size,
        } = &mut *self.stack;
        let switch = &frame.switch;
        switch.begin();
        switch.out.set(ptr::from_mut(&mut out).cast());
        let overflow = AbortOnOverflow::new(frame, *size);
        generator.resume();
        mem::forget(overflow);
        switch.out.set(ptr::null_mut());
        switch.step(|| out)
    }

    /// Gives back the stack of a finished coroutine.
    pub(crate) fn into_stack(self) -> Option<Stack> {
        let stack = ManuallyDrop::into_inner(self.stack);
        if stack.generator.is_done() {
            return Some(stack);
        }
        mem::forget(stack);
        None
    }
}
