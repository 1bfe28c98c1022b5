//! tokio's own messages: no runtime, the wrong one, or one that has ended.

use crate::report::explain::known::KnownError;

pub(crate) const KNOWN: &[KnownError] = &[
    KnownError {
        words: &[
            "there is no reactor running, must be called from the context of a Tokio 1.x runtime",
            // SQLx.
            "this functionality requires a Tokio context",
        ],
        meaning: "tokio was used where no runtime is: on a thread made by `std::thread` or rayon, or in another \
                  executor there",
        place: true,
        concern: None,
        help: "use `tokio::task::spawn_blocking` instead of `std::thread::spawn`; or take \
               `tokio::runtime::Handle::current()` in the test and hold `handle.enter()` on that thread",
    },
    KnownError {
        words: &[
            "A Tokio 1.x context was found, but it is being shutdown.",
            // Before tokio 1.21.
            "IO driver has terminated",
        ],
        meaning: "a socket, timer or pool was made in a runtime that has ended: each `#[tokio::test]` and each \
                  `Runtime::new()` has one of its own",
        place: false,
        concern: None,
        help: "make it in a `#[fixture(scope = \"process\")]`, on the runtime that all green-light tests \
               share, and ask for it by name, instead of keeping it in a `static`",
    },
    KnownError {
        words: &["Cannot start a runtime from within a runtime."],
        meaning: "`block_on` was called in code that runs in a runtime already, as tests and fixtures always do",
        place: false,
        concern: None,
        help: "make the function `async` and write `.await`; in synchronous code write \
               `green_light::wait(future)`",
    },
    KnownError {
        words: &["Cannot drop a runtime in a context where blocking is not allowed."],
        meaning: "a value that owns a tokio runtime was dropped in code that runs in another one",
        place: true,
        concern: None,
        help: "leave that runtime out, since fixtures and tests run in one already; run code that needs its own by \
               `green_light::blocking(|| ..)`, on another thread; or call `runtime.shutdown_background()` on it in \
               the code after `give`",
    },
    KnownError {
        words: &["can call blocking only when running on the multi-threaded runtime"],
        meaning: "`block_in_place` was called where no other thread can go on with the tasks of this one: in a \
                  runtime of one thread, or in a `LocalSet`",
        place: true,
        concern: None,
        help: "write `green_light::wait(future)` to wait for a future in synchronous code, and \
               `tokio::task::spawn_blocking` for code that blocks",
    },
    KnownError {
        words: &["`time::pause()` requires the `current_thread` Tokio runtime."],
        meaning: "the clock belongs to the runtime, and this one is shared by all tests",
        place: true,
        concern: None,
        help: "write `#[green_light::test(start_paused)]`: the test then has a runtime and a clock of its own",
    },
    KnownError {
        words: &[
            "A Tokio 1.x context was found, but timers are disabled.",
            "A Tokio 1.x context was found, but IO is disabled.",
        ],
        meaning: "a runtime that was built by hand, without timers or sockets, stands before the one that tests share",
        place: true,
        concern: None,
        help: "leave it out: tests and fixtures run in a runtime that has both; or build it with `.enable_all()`",
    },
    KnownError {
        words: &["`spawn_local` called from outside of a `task::LocalSet`"],
        meaning: "a task that stays on its thread was spawned, and nothing there runs such tasks",
        place: true,
        concern: None,
        help: "write `#[green_light::test(local)]`, which runs the test in a `LocalSet`; or `tokio::spawn`, if the \
               task is `Send`",
    },
    KnownError {
        words: &["The Tokio context thread-local variable has been destroyed."],
        meaning: "tokio was used in the destructor of a thread-local variable, when the thread had ended",
        place: false,
        concern: None,
        help: "end such a value in a fixture, in the code after `give`, instead of in a `thread_local!`",
    },
];
