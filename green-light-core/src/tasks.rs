//! Tasks that belong to a test or to a fixture: [`spawn`].
//!
//! * A task belongs to what spawned it: the body of a test, a fixture, an around fixture, or another task, whose
//!   owner it has. It ends with its owner: it is aborted, and waited for until its future has been dropped.
//! * The tasks of a test run on one thread beside that of the test, which the first of them starts. A thread that
//!   the standard library starts prints into the buffer of the test that starts it, so what tasks print is the
//!   test's. And a body that blocks its thread does not keep them from going on.
//! * That thread has an executor of tokio's, without timers and sockets. What a task makes belongs to the shared
//!   runtime, which is entered while the task is polled and dropped: a connection that it puts into a pool works
//!   after it.
//! * The tasks of a test with a runtime of its own run there, by its clock. Those of module and process fixtures run
//!   on the workers of the shared runtime, and print to the terminal as everything of theirs.
//! * A panic is noted when it happens, with its place, and fails the owner when that ends.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe, Location};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use tokio::runtime::{EnterGuard, Handle};
use tokio::sync::{Notify, oneshot};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, timeout_at};

use crate::mutex::Mutex;
use crate::report::failure::{Failure, is_raised};
use crate::report::hook::Reporting;
use crate::report::panics::{CatchAll, failure_of};
use crate::runtime::shared::handle;

/// How long aborted tasks may take to end: those that block their thread cannot be stopped.
const GRACE: Duration = Duration::from_secs(5);

/// Spawns a task that belongs to the running test, or to the running fixture.
///
/// As [`tokio::spawn`], whose [`JoinHandle`] it returns, with three differences:
///
/// * **It ends with its owner.** A task that the body of a test spawns is aborted when the body has ended, and waited
///   for before the first fixture is torn down: whatever it holds, such as a session, is back by then. A task of a
///   fixture is aborted after the fixture's own teardown, so code after `give` may end it by other means. A task
///   that another one spawns has the same owner.
/// * **Its panic fails the test**, or the teardown of its fixture, with message and place, whether or not the handle
///   was kept. A panic that was awaited counts too: to test that something panics, catch it inside of the task, or
///   use `tokio::spawn` and await the handle.
/// * **Its output is the test's**: libtest shows it if the test fails.
///
/// For that, the tasks of a test run on a thread of their own, beside that of the test: at the same time as the
/// body, also while that blocks its thread, and one at a time among themselves. `tokio::task::block_in_place` does
/// not work there. In a test with a runtime of its own (`runtime = "current_thread"`, `start_paused`) they run on
/// that one, and those of a module or process fixture on the shared runtime.
///
/// It works in bodies and fixtures, in synchronous code below them, in the tasks that it spawned, in
/// [`blocking`](crate::blocking()), and in the members of a crowd.
///
/// A task that blocks its thread cannot be aborted. Five seconds after the attempt, its owner fails and says where
/// it was spawned.
///
/// # Panics
///
/// Elsewhere, such as in a task of `tokio::spawn`: the task would have no owner. Also if the system has no more threads.
///
/// # Examples
///
/// ```no_run
/// # async fn ship_orders() {}
/// # async fn body() {
/// // Goes on while the test runs, and ends with it.
/// green_light_core::spawn(ship_orders());
/// # }
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match Spawner::here() {
        Some(spawner) => spawner.spawn(future, Location::caller()),
        None => panic!("{}", no_owner(tokio::task::try_id().is_some())),
    }
}

/// What tasks belong to, within one test or shared fixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u64);

impl Owner {
    /// What is not one of the others: around fixtures.
    pub(crate) const OUTERMOST: Self = Self(0);

    pub(crate) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

thread_local! {
    static HERE: RefCell<Option<Arc<Tasks>>> = const { RefCell::new(None) };
    static OWNER: Cell<Owner> = const { Cell::new(Owner::OUTERMOST) };
}

// As the two above, for a member of a crowd, which changes threads.
#[cfg(feature = "crowd")]
may::coroutine_local!(static MEMBER: RefCell<Option<Spawner>> = RefCell::new(None));

/// A test that runs, as others are told apart from it and as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningTest {
    /// `module_path!()` and the name of the function, or of one case of it: no other test has the same.
    pub path: &'static str,
    /// The path without the crate, as libtest has it.
    pub full_name: &'static str,
    /// The name of the function, or of one case of it. Tests of other modules may have the same.
    pub name: &'static str,
}

/// The test whose body or fixture runs here, or a task that one of them spawned by [`spawn`]; none in a module or
/// process fixture. For crates of fixtures.
#[must_use]
pub fn running_test() -> Option<RunningTest> {
    Spawner::here()?.tasks.test
}

/// The tasks of one test, or of one shared fixture.
pub(crate) struct Tasks {
    test: Option<RunningTest>,
    executor: Executor,
    state: Mutex<State>,
    ended: Notify,
}

#[derive(Default)]
struct State {
    last: u64,
    running: BTreeMap<u64, Running>,
    panics: Vec<(Owner, Failure)>,
}

/// A task whose future has not been dropped.
struct Running {
    owner: Owner,
    spawned_at: &'static Location<'static>,
    /// `None` while it is being spawned.
    abort: Option<AbortHandle>,
    /// It did not end when it was aborted, which has been reported.
    given_up: bool,
}

/// Where tasks run.
enum Executor {
    /// On a thread of their own, which the first one starts.
    Beside {
        name: &'static str,
        thread: OnceLock<Beside>,
    },
    /// On the runtime of the test, which notes it.
    Own(OnceLock<Handle>),
    /// On the workers of the shared runtime.
    Shared,
}

impl Tasks {
    pub(crate) fn of_test(test: RunningTest, has_own_runtime: bool) -> Arc<Self> {
        let executor = if has_own_runtime {
            Executor::Own(OnceLock::new())
        } else {
            Executor::Beside {
                name: test.full_name,
                thread: OnceLock::new(),
            }
        };
        Self::on(executor, Some(test))
    }

    pub(crate) fn of_shared_fixture() -> Arc<Self> {
        Self::on(Executor::Shared, None)
    }

    fn on(executor: Executor, test: Option<RunningTest>) -> Arc<Self> {
        Arc::new(Self {
            test,
            executor,
            state: Mutex::default(),
            ended: Notify::new(),
        })
    }

    fn is_empty(&self) -> bool {
        let state = self.state.lock();
        state.running.is_empty() && state.panics.is_empty()
    }

    /// Whether `owner` has any.
    fn has_any(&self, owner: Owner) -> bool {
        let state = self.state.lock();
        let is_its = |of: Owner| of == owner;
        state.running.values().any(|task| is_its(task.owner))
            || state.panics.iter().any(|(of, _)| is_its(*of))
    }

    /// Aborts the tasks of `owner`, or all tasks, waits for their end, and returns what went wrong in them.
    ///
    /// # Cancel safety
    ///
    /// The tasks have been aborted; the next call goes on waiting.
    pub(crate) async fn end(&self, owner: Option<Owner>) -> Vec<Failure> {
        let is_meant = |of: Owner| owner.is_none_or(|owner| of == owner);
        let mut deadline = None;
        loop {
            let ended = self.ended.notified();
            // A destructor of one that is aborted may spawn another.
            let left: Vec<Option<AbortHandle>> = {
                let state = self.state.lock();
                let left = state.running.values();
                left.filter(|task| is_meant(task.owner) && !task.given_up)
                    .map(|task| task.abort.clone())
                    .collect()
            };
            if left.is_empty() {
                break;
            }
            left.iter().flatten().for_each(AbortHandle::abort);
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + GRACE);
            if timeout_at(deadline, ended).await.is_err() {
                break;
            }
        }
        let mut state = self.state.lock();
        let panics = state.panics.extract_if(.., |(of, _)| is_meant(*of));
        let mut failures: Vec<_> = panics.map(|(_, failure)| failure).collect();
        for task in state.running.values_mut() {
            if is_meant(task.owner) && !task.given_up {
                task.given_up = true;
                failures.push(Failure {
                    via: vec![in_a_task(task.spawned_at)],
                    ..Failure::new(endless_task(GRACE))
                });
            }
        }
        failures
    }

    /// Ends the thread of the tasks. One that is blocked by a task is left to itself.
    pub(crate) fn close(&self) {
        let Executor::Beside { thread, .. } = &self.executor else {
            return;
        };
        let thread = thread.get().and_then(|beside| {
            let mut thread = beside.thread.lock();
            thread.take()
        });
        if let Some((stop, thread)) = thread {
            drop(stop);
            if self.state.lock().running.is_empty() {
                // It does not panic: tokio catches what its tasks throw.
                let _ = thread.join();
            }
        }
    }

    fn note_panic(&self, owner: Owner, spawned_at: &'static Location<'static>, failure: Failure) {
        let mut failure = failure;
        failure.via.push(in_a_task(spawned_at));
        self.state.lock().panics.push((owner, failure));
    }
}

/// Whether `owner`, on the thread of a test or fixture, has any tasks.
pub(crate) fn has_any(owner: Owner) -> bool {
    HERE.with_borrow(|tasks| tasks.as_ref().is_some_and(|tasks| tasks.has_any(owner)))
}

/// Aborts the tasks of `owner`, as [`Tasks::end`], on the thread of the test or fixture.
pub(crate) async fn end(owner: Owner) -> Vec<Failure> {
    // Nearly always there is none.
    if !has_any(owner) {
        return Vec::new();
    }
    match HERE.with_borrow(Clone::clone) {
        Some(tasks) => tasks.end(Some(owner)).await,
        None => Vec::new(),
    }
}

/// Whether the test has any tasks.
pub(crate) fn are_left() -> bool {
    HERE.with_borrow(|tasks| tasks.as_ref().is_some_and(|tasks| !tasks.is_empty()))
}

/// As [`end`], for all that the test has left.
pub(crate) async fn end_all() -> Vec<Failure> {
    match HERE.with_borrow(Clone::clone) {
        Some(tasks) => tasks.end(None).await,
        None => Vec::new(),
    }
}

/// Notes the runtime of the test, in which the caller is.
pub(crate) fn note_runtime() {
    HERE.with_borrow(|tasks| {
        if let Some(Executor::Own(handle)) = tasks.as_ref().map(|tasks| &tasks.executor) {
            let _ = handle.set(Handle::current());
        }
    });
}

/// Makes what is spawned on this thread belong to `tasks`, until this is dropped.
#[must_use]
pub(crate) struct Here {
    before: (Option<Arc<Tasks>>, Owner),
}

impl Here {
    pub(crate) fn enter(tasks: &Arc<Tasks>) -> Self {
        Self::enter_as(tasks, Owner::OUTERMOST)
    }

    fn enter_as(tasks: &Arc<Tasks>, owner: Owner) -> Self {
        Self {
            before: (HERE.replace(Some(Arc::clone(tasks))), OWNER.replace(owner)),
        }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let (tasks, owner) = (self.before.0.take(), self.before.1);
        drop(HERE.replace(tasks));
        OWNER.set(owner);
    }
}

/// Makes what is spawned on this thread belong to `owner`, until what is returned is dropped.
pub(crate) fn owned_by(owner: Owner) -> Owned {
    Owned(OWNER.replace(owner))
}

/// Polls `future` so that what it spawns belongs to `owner`.
pub(crate) async fn owning<F: Future>(owner: Owner, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let _owned = owned_by(owner);
        future.as_mut().poll(cx)
    })
    .await
}

/// See [`owned_by`].
#[must_use]
pub(crate) struct Owned(Owner);

impl Drop for Owned {
    fn drop(&mut self) {
        OWNER.set(self.0);
    }
}

/// Spawns for one owner, on any thread.
#[derive(Clone)]
pub(crate) struct Spawner {
    tasks: Arc<Tasks>,
    owner: Owner,
}

impl Spawner {
    /// That of the caller; `None` where nothing of green-light runs.
    pub(crate) fn here() -> Option<Self> {
        #[cfg(feature = "crowd")]
        if may::coroutine::is_coroutine() {
            return MEMBER.with(|member| member.borrow().clone());
        }
        let tasks = HERE.try_with(|here| here.borrow().clone()).ok()??;
        let owner = OWNER.get();
        Some(Self { tasks, owner })
    }

    /// Makes it that of the caller, a member of a crowd.
    #[cfg(feature = "crowd")]
    pub(crate) fn become_that_of_the_member(self) {
        MEMBER.with(|member| member.replace(Some(self)));
    }

    /// Polls `future`, on any thread, so that `spawner` spawns for it.
    #[cfg(feature = "crowd")]
    pub(crate) async fn spawning<F: Future>(spawner: Option<Self>, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let _here = spawner.as_ref().map(Self::enter);
            future.as_mut().poll(cx)
        })
        .await
    }

    /// Makes it that of this thread, until what is returned is dropped.
    pub(crate) fn enter(&self) -> Here {
        Here::enter_as(&self.tasks, self.owner)
    }

    /// Starts the thread of the tasks, so that it inherits the output capture of the caller.
    #[cfg(feature = "crowd")]
    pub(crate) fn prepare(&self) {
        if let Executor::Beside { name, thread } = &self.tasks.executor {
            thread.get_or_init(|| Beside::start(name));
        }
    }

    #[track_caller]
    fn spawn<F>(self, future: F, spawned_at: &'static Location<'static>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let shared = || match handle() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        };
        let (executor, around) = match &self.tasks.executor {
            Executor::Beside { name, thread } => {
                let thread = thread.get_or_init(|| Beside::start(name));
                (&thread.handle, Some(shared()))
            }
            Executor::Own(handle) => (handle.get_or_init(Handle::current), None),
            Executor::Shared => (shared(), None),
        };
        let number = {
            let mut state = self.tasks.state.lock();
            state.last += 1;
            let (number, owner) = (state.last, self.owner);
            let task = Running {
                owner,
                spawned_at,
                abort: None,
                given_up: false,
            };
            state.running.insert(number, task);
            number
        };
        let handle = executor.spawn(Task {
            future: Some(Box::pin(future)),
            spawner: self.clone(),
            spawned_at,
            number,
            around,
        });
        if let Some(task) = self.tasks.state.lock().running.get_mut(&number) {
            task.abort = Some(handle.abort_handle());
        }
        handle
    }
}

/// A future with what is true around it.
struct Task<F: Future> {
    future: Option<Pin<Box<F>>>,
    spawner: Spawner,
    spawned_at: &'static Location<'static>,
    number: u64,
    /// The runtime for what it makes, if that is not the one that it runs on.
    around: Option<&'static Handle>,
}

impl<F: Future> Task<F> {
    fn enter(&self) -> (Here, Option<EnterGuard<'static>>) {
        (self.spawner.enter(), self.around.map(Handle::enter))
    }

    fn note(&self, payload: &(dyn std::any::Any + Send)) {
        let failure = failure_of(payload);
        // Such as `skip`, which ends the task.
        if !is_raised(payload) {
            let Spawner { tasks, owner } = &self.spawner;
            tasks.note_panic(*owner, self.spawned_at, failure);
        }
    }

    /// Drops the future. A panic in that is noted and returned.
    fn drop_future(&mut self) -> thread::Result<()> {
        let future = self.future.take();
        let _entered = self.enter();
        panic::catch_unwind(AssertUnwindSafe(|| drop(future)))
            .inspect_err(|payload| self.note(&**payload))
    }
}

impl<F: Future> Future for Task<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let entered = this.enter();
        let Some(future) = &mut this.future else {
            unreachable!("a task that has panicked is not polled again");
        };
        let mut future = CatchAll {
            future: future.as_mut(),
        };
        let polled = Pin::new(&mut future).poll(cx);
        drop(entered);
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(output)) => Poll::Ready(output),
            Poll::Ready(Err(payload)) => {
                this.note(&*payload);
                drop(this.drop_future());
                // For the handle. The message has been printed.
                panic::resume_unwind(payload)
            }
        }
    }
}

impl<F: Future> Drop for Task<F> {
    fn drop(&mut self) {
        let dropped = self.drop_future();
        let tasks = &self.spawner.tasks;
        tasks.state.lock().running.remove(&self.number);
        tasks.ended.notify_waiters();
        if let Err(payload) = dropped
            && !thread::panicking()
        {
            panic::resume_unwind(payload);
        }
    }
}

/// A thread with the tasks of a test.
struct Beside {
    handle: Handle,
    /// `None` once it was asked to stop.
    thread: Mutex<Option<(oneshot::Sender<()>, thread::JoinHandle<()>)>>,
}

impl Beside {
    /// # Panics
    ///
    /// If the system has no more threads.
    #[track_caller]
    fn start(name: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let started = runtime.and_then(|runtime| {
            let handle = runtime.handle().clone();
            let (stop, stopped) = oneshot::channel();
            // Under the name of the test, for messages of panics.
            let builder = thread::Builder::new().name(name.to_owned());
            let thread = builder.spawn(move || {
                let _reporting = Reporting::begin();
                let _ = runtime.block_on(stopped);
            })?;
            Ok(Self {
                handle,
                thread: Mutex::new(Some((stop, thread))),
            })
        });
        match started {
            Ok(this) => this,
            Err(error) => {
                panic!("the thread for the tasks of the test could not be started: {error}")
            }
        }
    }
}

/// Where a task that went wrong was spawned.
fn in_a_task(spawned_at: &Location<'_>) -> String {
    let (file, line) = (spawned_at.file(), spawned_at.line());
    format!("in a task that was spawned at {file}:{line}")
}

/// A task that did not end when it was aborted.
fn endless_task(grace: Duration) -> String {
    format!(
        "a task did not end within {grace:?} after it was aborted, because it blocks its thread: write `.await` where \
         it blocks"
    )
}

/// A task is spawned where nothing could own it.
fn no_owner(in_a_task: bool) -> String {
    let cure = if in_a_task {
        "a task of `tokio::spawn` belongs to no test, and neither does what it spawns: spawn it with \
         `green_light::spawn` as well, or write `tokio::spawn` here"
    } else {
        "call it in a `#[green_light::test]`, in a fixture, or in a task that `green_light::spawn` has spawned; \
         on a thread of your own, start that with `green_light::blocking`; elsewhere write `tokio::spawn`"
    };
    format!(
        "`green_light::spawn` was called where no test or fixture runs that could own the task\n  help: {cure}"
    )
}
