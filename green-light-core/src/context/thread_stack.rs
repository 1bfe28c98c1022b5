//! Keeps the stack of a thread free for one context, and puts what drives it onto a coroutine.
//!
//! Code that measures its stack, a debugger and the standard library's report of an overflow know one stack for
//! each thread. So that of a test belongs to the test: its fixtures and its body run there, and the executor that
//! polls them runs on a coroutine. Both sides are as those of [`Coroutine`], the other way round:
//!
//! | | on a stack of its own | on the stack of the thread |
//! |---|---|---|
//! | the owner lets the context run | it resumes the context's coroutine | it suspends the executor's coroutine |
//! | the context suspends itself | it suspends its coroutine | it resumes the executor's coroutine |
//!
//! Everything else (frames, cancellation, drops, limits) does not know which of the two it is.
//!
//! While the context waits, the executor may call short functions on top of it ([`call_on_thread_stack`]): they
//! end before the context goes on.
//!
//! The stack of a thread cannot be leaked. A context there that does not end after it was cancelled keeps its thread:
//! the executor finishes without it, and then the thread is *stranded*: it does what its owner asked for in that
//! case, and never returns.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::thread;

use crate::context::coroutine::Coroutine;
use crate::context::frame::Frame;
use crate::context::switch::Step;
use crate::context::{message, stack};

thread_local! {
    static HERE: RefCell<Option<Rc<Host>>> = const { RefCell::new(None) };
}

type Job = Box<dyn FnOnce()>;

/// A thread whose stack is kept free.
pub(crate) struct Host {
    /// Borrowed while it runs.
    executor: RefCell<Coroutine<()>>,
    /// The frame of the executor, to suspend it.
    frame: Rc<Frame>,
    /// What the executor wants to be run on the stack of the thread, when it is suspended for that.
    job: Cell<Option<Job>>,
    /// A context has the stack.
    taken: Cell<bool>,
    stranded: Cell<Option<Job>>,
}

/// How the executor came back to the stack of the thread.
enum Back {
    /// To have this run.
    With(Job),
    /// To let the context go on that waits there.
    ToContext,
    Finished,
}

impl Host {
    /// Whether the caller is the executor.
    fn is_driven_from_here(&self) -> bool {
        self.frame.switch.on_stack()
    }

    /// Lets the executor run until it wants something of this stack.
    fn let_executor_run(&self) -> Back {
        let step = self.executor.borrow_mut().resume();
        self.back(&step)
    }

    fn back(&self, step: &Step<()>) -> Back {
        match step {
            Step::Suspended => self.job.take().map_or(Back::ToContext, Back::With),
            // `beside_thread_stack` has caught what its closure throws.
            Step::Finished(_) => Back::Finished,
            Step::Abandoned => unreachable!("an executor is no context"),
        }
    }

    /// Suspends the executor, which is the caller, until the context on the stack of the thread is suspended.
    fn let_context_run(&self) {
        self.frame.switch.suspend();
    }

    /// As [`let_context_run`](Self::let_context_run), with something to run first.
    fn run_on_thread(&self, job: Job) {
        self.job.set(Some(job));
        self.frame.switch.suspend();
    }

    /// The context is suspended on the stack of the thread: lets the executor run until `is_resumed`.
    fn suspend_context(&self, is_resumed: &dyn Fn() -> bool) {
        loop {
            match self.let_executor_run() {
                Back::With(job) => job(),
                Back::ToContext if is_resumed() => return,
                Back::ToContext => unreachable!("the executor resumes the one context there is"),
                Back::Finished => self.strand(),
            }
        }
    }

    /// The executor has ended, and the code on this stack must not go on.
    #[cold]
    fn strand(&self) -> ! {
        if let Some(stranded) = self.stranded.take() {
            stranded();
        }
        loop {
            thread::park();
        }
    }
}

/// Runs `main` on a coroutine, so that [`on_thread_stack`](crate::context::run_sync::on_thread_stack) has the stack of this thread to itself.
///
/// For the runner: `main` drives an executor to its end. In a coroutine there is no such stack, so `main` is simply
/// called.
///
/// `stranded` is called on this thread if `main` has ended and a context is still on the stack of the thread,
/// which takes one that was given up or leaked. It gets what `main` returned. If it returns, the thread sleeps for
/// ever.
///
/// # Panics
///
/// If `main` does, or when no stack can be had.
pub fn beside_thread_stack<T: 'static>(
    main: impl FnOnce() -> T + 'static,
    stranded: impl FnOnce(thread::Result<T>) + 'static,
) -> T {
    if generator::is_generator() {
        return main();
    }
    let executor = Coroutine::new(stack::take());
    let result = Rc::new(Cell::new(None));
    let late = Rc::clone(&result);
    let host = Rc::new(Host {
        frame: Rc::clone(executor.frame()),
        executor: RefCell::new(executor),
        job: Cell::new(None),
        taken: Cell::new(false),
        stranded: Cell::new(Some(Box::new(move || {
            if let Some(result) = late.take() {
                stranded(result);
            }
        }))),
    });
    let here = Here::enter(&host);
    let out = Rc::clone(&result);
    let step = host.executor.borrow_mut().start(move || {
        out.set(Some(panic::catch_unwind(AssertUnwindSafe(main))));
    });
    let mut back = host.back(&step);
    loop {
        match back {
            Back::With(job) => job(),
            Back::ToContext => unreachable!("no context stands on this stack"),
            Back::Finished => break,
        }
        back = host.let_executor_run();
    }
    drop(here);
    if let Some(host) = Rc::into_inner(host)
        && let Some(stack) = host.executor.into_inner().into_stack()
    {
        stack::keep(stack);
    }
    match result.take().expect("the executor leaves its result") {
        Ok(output) => output,
        Err(payload) => panic::resume_unwind(payload),
    }
}

/// Makes a host that of this thread, until this is dropped.
struct Here {
    before: Option<Rc<Host>>,
}

impl Here {
    fn enter(host: &Rc<Host>) -> Self {
        Self {
            before: HERE.with(|here| here.replace(Some(Rc::clone(host)))),
        }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let ours = HERE.with(|here| here.replace(self.before.take()));
        drop(ours);
    }
}

/// The host of this thread, if the caller is its executor.
fn host() -> Option<Rc<Host>> {
    let here = HERE.try_with(|here| here.borrow().clone()).ok().flatten();
    here.filter(|host| host.is_driven_from_here())
}

/// Whether the caller is an executor beside the stack of its thread.
pub(crate) fn is_beside_thread_stack() -> bool {
    host().is_some()
}

/// Calls `f` on the stack of this thread, above whatever waits there; without such a stack, here.
///
/// For the executor's other work, such as polling the tasks of a `LocalSet`.
///
/// # Panics
///
/// If `f` does.
pub fn call_on_thread_stack<T: 'static>(f: impl FnOnce() -> T + 'static) -> T {
    let Some(host) = host() else {
        return f();
    };
    let slot = Rc::new(Cell::new(None));
    let out = Rc::clone(&slot);
    host.run_on_thread(Box::new(move || {
        out.set(Some(panic::catch_unwind(AssertUnwindSafe(f))));
    }));
    match slot
        .take()
        .expect("a job is done when the executor goes on")
    {
        Ok(output) => output,
        Err(payload) => panic::resume_unwind(payload),
    }
}

/// A closure on the stack of its thread, as the executor sees it.
pub(crate) struct OnThread<T> {
    host: Rc<Host>,
    frame: Rc<Frame>,
    result: Rc<Cell<Option<thread::Result<T>>>>,
}

impl<T: 'static> OnThread<T> {
    /// Takes the stack of this thread, if it is free and the caller drives it.
    pub(crate) fn take() -> Option<Self> {
        let host = host()?;
        if host.taken.replace(true) {
            return None;
        }
        let suspended = Rc::clone(&host);
        let suspend =
            Box::new(move |is_resumed: &dyn Fn() -> bool| suspended.suspend_context(is_resumed));
        Some(Self {
            frame: Rc::new(Frame::on_thread(suspend)),
            host,
            result: Rc::default(),
        })
    }

    /// Runs `closure` until it suspends or ends.
    pub(crate) fn start<F: FnOnce() -> T + 'static>(&mut self, closure: F) -> Step<T> {
        let (result, frame) = (Rc::clone(&self.result), Rc::clone(&self.frame));
        self.frame.switch.begin();
        self.host.run_on_thread(Box::new(move || {
            result.set(Some(panic::catch_unwind(AssertUnwindSafe(closure))));
            frame.switch.finish();
        }));
        self.step()
    }
}

impl<T> OnThread<T> {
    pub(crate) fn frame(&self) -> &Rc<Frame> {
        &self.frame
    }

    /// Lets a suspended context run until it suspends again or ends.
    pub(crate) fn resume(&mut self) -> Step<T> {
        assert!(self.can_be_resumed(), "{}", message::not_the_executor());
        self.frame.switch.begin();
        self.host.let_context_run();
        self.step()
    }

    /// Whether the caller may resume it.
    pub(crate) fn can_be_resumed(&self) -> bool {
        self.frame.switch.is_suspended() && self.host.is_driven_from_here()
    }

    fn step(&self) -> Step<T> {
        self.frame.switch.step(|| self.result.take())
    }

    /// Gives the stack back after the closure has ended.
    pub(crate) fn give_back(self) {
        self.host.taken.set(false);
    }
}
