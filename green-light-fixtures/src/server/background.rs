//! What a process does behind its tests: databases made ahead of them, others dropped after them.
//!
//! Invariant: what is begun here goes on when the test that asked for it is gone, and the end of the
//! process waits for it, within reason.

use std::{
    collections::HashSet,
    env,
    future::Future,
    panic,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use green_light_core::progress;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{RwLock, RwLockReadGuard},
};

use crate::error::{Error, Kind};
use crate::server::backlog::Backlog;
use crate::url::DatabaseUrl;

/// How long the end of the process waits for what is being made or dropped.
const AT_EXIT: Duration = Duration::from_secs(5);
/// After how much of that it says what it waits for.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long to sleep between two looks.
const MOMENT: Duration = Duration::from_millis(1);
/// How many databases are worth dropping while tests run.
const BATCH: usize = 8;
/// The same at the end of a process that had one test only, as nextest's have.
const SMALL_BATCH: usize = 4;

/// What goes on for one server.
#[derive(Debug, Default)]
pub(crate) struct Background {
    /// Templates of which databases are being made.
    replenishing: Mutex<HashSet<String>>,
    /// Held for reading by what is being made or dropped.
    busy: RwLock<()>,
    /// How many databases this process is done with since it last dropped some.
    done: AtomicUsize,
    /// Whether the process is about to end, so that nothing new is made.
    closing: AtomicBool,
    pub(crate) backlog: Backlog,
}

impl Background {
    /// How many databases are kept ready for each template.
    pub(crate) fn target() -> i64 {
        let parallel = thread::available_parallelism().map_or(2, usize::from);
        i64::try_from(parallel.clamp(2, 8)).unwrap_or(2)
    }

    /// How many databases of the sandbox are kept ready for each template. They come back, so one is enough.
    pub(crate) const SPARE: i64 = 1;

    /// How many databases of a template may be in stock: what a process gives back beyond that is dropped.
    pub(crate) fn most() -> i64 {
        Self::target() + 2
    }

    /// How many leftovers are worth going for at the end of this process.
    pub(crate) fn last_batch() -> usize {
        let alone = env::var_os("NEXTEST").is_none_or(|value| value.is_empty());
        if alone { 1 } else { SMALL_BATCH }
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// The end of the process waits as long as what is returned is held.
    pub(crate) async fn busy(&self) -> RwLockReadGuard<'_, ()> {
        self.busy.read().await
    }

    /// A database is done with. How many leftovers are worth dropping now, if any.
    pub(crate) fn is_done_with_one(&self) -> Option<usize> {
        let enough = self.done.fetch_add(1, Ordering::Relaxed) + 1 >= BATCH;
        if enough {
            self.done.store(0, Ordering::Relaxed);
        }
        enough.then_some(BATCH)
    }

    /// Whether databases of `template` are to be made now; then [`replenished`](Self::replenished)
    /// is called when they are.
    pub(crate) fn replenishes(&self, template: &str) -> bool {
        !self.is_closing() && self.replenishing().insert(template.to_owned())
    }

    pub(crate) fn replenished(&self, template: &str) {
        self.replenishing().remove(template);
    }

    fn replenishing(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.replenishing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing new is made from here on.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Waits until nothing is being made or dropped.
    pub(crate) async fn quiet(&self) {
        // What a test has just left is counted before the work on it begins.
        while self.backlog.is_growing() {
            tokio::time::sleep(MOMENT).await;
        }
        drop(self.busy.write().await);
    }
}

/// Runs `work` on `server` at the end of the process, which waits for it. What is not done by then, the
/// next process does.
pub(crate) fn last(server: &DatabaseUrl, work: impl Future<Output = ()> + Send + 'static) {
    let (done, ended) = mpsc::channel();
    spawn(async move {
        work.await;
        let _ = done.send(());
    });
    let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(PATIENCE) else {
        return;
    };
    progress(&format!(
        "dropping the databases of this process on {}, for {} s at most",
        server.redacted(),
        AT_EXIT.as_secs()
    ));
    if let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(AT_EXIT - PATIENCE) {
        progress(&format!(
            "{} s: the databases of this process on {} are not dropped yet; the next run does that",
            AT_EXIT.as_secs(),
            server.redacted()
        ));
    }
}

/// Begins work that outlives the test that asks for it.
pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = runtime() {
        drop(runtime.spawn(work));
    }
}

/// Runs `work` where it goes on even if the caller is dropped.
pub(crate) async fn on_own_runtime<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    match runtime()?.spawn(work).await {
        Ok(result) => result,
        Err(ended) if ended.is_panic() => panic::resume_unwind(ended.into_panic()),
        Err(ended) => {
            Err(Error::new(Kind::Connection, "the process is about to end").because(ended))
        }
    }
}

fn runtime() -> Result<&'static Runtime, Error> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("green-light-databases")
                .enable_all()
                .build()
                .map_err(|error| error.to_string())
        })
        .as_ref()
        .map_err(|error| {
            Error::new(Kind::Connection, "no runtime for the databases can be made")
                .help("raise the limit on threads or open files")
                .because(error.clone())
        })
}
