//! How runtimes are built.

use std::io;
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Below this, a test that blocks one worker would stop the timers and sockets of all others.
const FEWEST_WORKERS: usize = 2;

/// What a runtime is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// The one for the process.
    Shared,
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
        };
        builder
            .thread_name("green-light-worker")
            .thread_keep_alive(Duration::ZERO)
            .enable_all()
            .build()
    }
}

fn workers() -> usize {
    thread::available_parallelism().map_or(FEWEST_WORKERS, |cores| cores.get().max(FEWEST_WORKERS))
}
