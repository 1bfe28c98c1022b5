//! What a coroutine context is, and what it promises.
//!
//! Synchronous code at any depth waits for a future: [`run_sync`](run_sync()) runs a closure on a stack of its own, as a
//! future, and [`wait`](wait()) suspends that stack until another future is ready.
//!
//! The context of a test, and that of a shared fixture, has the stack of its thread instead: [`beside_thread_stack`]
//! puts the executor, and all that is around the context, onto a coroutine, and [`on_thread_stack`] runs the
//! closure where the executor would have been. So code that measures its stack, `RUST_MIN_STACK`, the standard
//! library's report of an overflow and a debugger find what they find in a plain test. Everything below holds for
//! both kinds; where they differ, it says so.
//!
//! # Contract
//!
//! * **Thread.** A context runs on the thread that polls it, inside the poll, and never moves. So libtest's output
//!   capture, the thread's name in panic messages, thread-locals and the tokio context keep working. The future is
//!   not `Send`. Blocking calls, those of may included, block this thread and nothing else.
//! * **Ownership.** The future owns the stack. When it is ready, the stack is kept for the next context, of this
//!   thread and then of others. When it is leaked, so is the stack, which is never resumed; hence the closure is `'static`.
//! * **The stack of a thread** belongs to one context at a time; others get one of their own. Its future is polled and
//!   dropped by the executor itself. While the context waits, the executor's other work may run above it
//!   ([`call_on_thread_stack`]): so do the tasks of a `LocalSet` and those of a test's own runtime.
//! * **Panics.** A panic of the closure is caught on its stack and goes on in the poller with its payload; the
//!   message is printed once, where it happened.
//! * **Drop.** Dropping a suspended context unwinds its stack on this thread before the drop returns, without a
//!   panic message. Values are dropped in the order of a panic. This works while the thread panics, too.
//! * **Cancel.** [`CancelToken::cancel`] ends every context below a token while its owner polls on: the innermost
//!   unwinds first, and destructors may `wait` as usual. The payload is known to [`is_cancelled_payload`].
//! * **Caught unwinding.** Code that catches it, such as proptest, gets it again at its next `wait`. One that
//!   catches it for five seconds is abandoned.
//! * **`wait` in a destructor** works, always: normally it suspends. While its context is being dropped it blocks
//!   the thread, with the tokio runtime entered, for at most five seconds in all; then the stack is abandoned: it
//!   is leaked and reported on standard error, and the thread may count as panicking from then on.
//! * **Abandoned on the stack of a thread**, a context cannot be leaked without its thread. Its executor goes on to
//!   the end, and then the thread is *stranded*: it never returns. A test is torn down and reported on standard error,
//!   the tests beside it go on, and when none runs any more the process ends with the status of a failed run. The
//!   thread of a shared fixture sleeps.
//! * **No abort.** A `wait` never unwinds out of a destructor that runs because of another unwinding
//!   (`landing_pads.rs` asks the unwinder's own tables; where they cannot be read, nothing on the thread may unwind).
//! * **Nesting.** Contexts nest, and a future that is waited for may itself wait. The second suspends everything
//!   that is polled around it: `join!(a, run_sync(move || wait(b)))` keeps `a` running, `join!(a, async { wait(b) })`
//!   stops it until `b` is ready, and hangs if `b` needs `a`. Such a wait warns after five seconds and fails after
//!   sixty, naming both places. A cancellation reaches it.
//! * **Elsewhere there is none.** A spawned task, another thread, a crowd member, and a coroutine of another library
//!   inside a context get [`MissingContext`] with the help that fits. The stack that `stacker` adds to that of a
//!   thread is no other context: a `wait` there works.
//! * **Stack overflow is fatal**, as in std: the test, the size and the variable are printed, and the process aborts.
//!   On the stack of a thread it is std that prints.
//!
//! # State of the thread that is held across a `wait`
//!
//! While a context is suspended its thread polls other things. They see what the context has left there:
//!
//! | held across `wait` | seen by others meanwhile | instead |
//! |---|---|---|
//! | a guard that sets a thread-local, such as `span.enter()` | yes; guards that overlap restore the wrong value | `future.instrument(span)`, or a guard around code without `wait` |
//! | `Handle::enter()` | yes | enter around the creation of the value that needs it |
//! | `LocalKey::sync_scope` of a task-local | yes | `LocalKey::scope` around the context, which works |
//! | `thread::panicking()`, in a destructor that waits | yes | nothing is wrong but the answer: a panic meanwhile is caught, a `Mutex` taken meanwhile is not poisoned |
//! | a borrow of a `RefCell` in a thread-local | yes: borrowing again panics | copy out first |
//! | a `std::sync::MutexGuard` | yes: locking again on this thread never returns | `tokio::sync::Mutex`, or drop the guard first |
//! | libtest's output capture, the thread's name | as it should be | |
//!
//! # Settings
//!
//! `GREEN_LIGHT_STACK_SIZE` (2M; only pages that are used cost memory) for the stacks of `run_sync` and of executors,
//! not for those of threads, whose size std sets (`RUST_MIN_STACK`); `GREEN_LIGHT_DROP_TIMEOUT` (5s),
//! `GREEN_LIGHT_STALL_TIMEOUT` (60s). A bad value fails the first context with what it may be.
//!
//! # How it is checked
//!
//! `tests/context/` has a test for each sentence above. `stress.rs` there runs random programs of nesting, panics,
//! drops, catches and cancellations, on both kinds of stack; `GREEN_LIGHT_STRESS_SEEDS=10000` is the full length.
//!
//! * **Valgrind** works, and finds nothing. It tells stacks apart by their distance, which has to be set:
//!   `valgrind --error-exitcode=9 --max-stackframe=100000 <test binary> stress::`. The warnings that it prints
//!   about switched stacks are about that distance.
//! * **Address sanitizer** works for the heap, and finds nothing. Its checks of the stack do not work: `generator`
//!   does not tell it about stack switches, so after an unwinding on a coroutine's stack it warns of false positives
//!   and then reports them. Nor does its search for leaks look into mapped memory: it misses what `generator` keeps
//!   on the stacks that wait for another context. Switch the one off and suppress the other:
//!   `RUSTFLAGS="-Zsanitizer=address -Cllvm-args=-asan-stack=0" ASAN_OPTIONS=fast_unwind_on_malloc=0
//!   LSAN_OPTIONS=suppressions=$PWD/.github/lsan.supp cargo +nightly test -p green-light-core
//!   --target x86_64-unknown-linux-gnu --test context stress::`.

pub(crate) mod blocking_wait;
pub(crate) mod cancel;
pub(crate) mod coroutine;
pub(crate) mod current;
pub(crate) mod frame;
pub(crate) mod landing_pads;
pub(crate) mod message;
pub(crate) mod missing;
pub(crate) mod overflow;
pub(crate) mod run_sync;
pub(crate) mod settings;
pub(crate) mod stack;
pub(crate) mod stall;
pub(crate) mod switch;
pub(crate) mod thread_stack;
pub(crate) mod wait;

pub use crate::context::cancel::is_cancelled_payload;
pub use crate::context::frame::CancelToken;
pub use crate::context::missing::MissingContext;
pub use crate::context::run_sync::{RunSync, on_thread_stack, run_sync};
#[doc(hidden)]
pub use crate::context::settings::Limits;
pub use crate::context::thread_stack::{beside_thread_stack, call_on_thread_stack};
pub use crate::context::wait::{is_active, synchronous, try_wait, wait, wait_named};
