//! How runtimes are built.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Below this, a test that blocks one worker would stop the timers and sockets of all others.
const FEWEST_WORKERS: usize = 2;

/// How long a worker may take to start before the runtime is used without it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a runtime is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// The one for the process.
    Shared,
    /// One for a test alone, on its thread.
    Private,
}

impl Flavor {
    /// Builds a runtime with timers and sockets.
    pub(crate) fn build(self) -> io::Result<Runtime> {
        let mut builder = match self {
            Flavor::Shared => {
                let mut builder = Builder::new_multi_thread();
                builder.worker_threads(workers());
                builder
            }
            Flavor::Private => Builder::new_current_thread(),
        };
        builder
            .thread_name("green-light-worker")
            .thread_keep_alive(Duration::ZERO)
            .enable_all()
            .build()
            .inspect(|runtime| {
                if self == Flavor::Shared {
                    wait_for_workers(runtime);
                }
            })
    }
}

/// Waits until every worker runs.
///
/// tokio hands its workers to threads through the queue of blocking tasks. A thread that a test asks for before
/// all have started might take the part of a worker, and print into that test's buffer for ever.
fn wait_for_workers(runtime: &Runtime) {
    let (release, released) = tokio::sync::watch::channel(false);
    for _ in 0..runtime.metrics().num_workers() {
        let (started, starts) = mpsc::channel();
        let mut released = released.clone();
        runtime.spawn(async move {
            // Blocks the worker, so that the next task needs another one.
            let _ = started.send(());
            while !*released.borrow_and_update() {
                thread::yield_now();
            }
        });
        let _ = starts.recv_timeout(PATIENCE);
    }
    release.send_replace(true);
}

fn workers() -> usize {
    thread::available_parallelism().map_or(FEWEST_WORKERS, |cores| cores.get().max(FEWEST_WORKERS))
}
