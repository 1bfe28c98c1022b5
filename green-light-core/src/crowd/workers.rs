//! Starts may, once in a process, with a configuration that costs little.

#![expect(
    unsafe_code,
    reason = "may calls spawning unsafe, because of thread-locals"
)]

use std::io;
use std::num::NonZero;
use std::thread;

use once_cell::sync::OnceCell;

use crate::context::stack::prepare_coroutines;
use crate::os;
use crate::report::hook::install_hook;

/// may's defaults: what an application that does not care about may has.
const DEFAULT_STACK_WORDS: usize = 0x1000;
const DEFAULT_POOL: usize = 1000;

const FEWEST_WORKERS: usize = 2;

/// Starts may's workers unless they run.
pub(crate) fn start() -> io::Result<()> {
    static STARTED: OnceCell<()> = OnceCell::new();
    STARTED
        .get_or_try_init(|| {
            // The place of a member's panic is noted by the hook.
            install_hook();
            let starter = os::spawn_uncaptured("green-light-crowd", configure_and_start)?;
            starter
                .join()
                .map_err(|_| io::Error::other("may could not be started"))
        })
        .copied()
}

fn configure_and_start() {
    prepare_coroutines();
    let config = may::config();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let untouched = config.get_stack_size() == DEFAULT_STACK_WORDS
        && config.get_pool_capacity() == DEFAULT_POOL
        && config.get_worker_pin()
        && config.get_workers() == cores;
    if !untouched {
        run_first_coroutine();
        return;
    }
    config
        .set_workers(cores.max(FEWEST_WORKERS))
        .set_pool_capacity(1);
    config.set_worker_pin(false);
    run_first_coroutine();
    // may reads these when it starts. If the application had started it before us, nothing has changed, and
    // nothing stays changed for later either.
    config.set_workers(cores).set_pool_capacity(DEFAULT_POOL);
    config.set_worker_pin(true);
}

/// Starts may with a coroutine that does nothing.
fn run_first_coroutine() {
    // SAFETY: the closure touches neither thread-locals nor the stack.
    let first = unsafe { may::coroutine::spawn(|| ()) };
    drop(first.join());
}
