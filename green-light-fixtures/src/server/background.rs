//! Work that a process does beside its tests: databases are created ahead of them, and dropped after them.
//!
//! Invariant: the work goes on when the test that asked for it ends, and the end of the process waits for it,
//! within reason.

use std::{
    collections::HashSet,
    env,
    future::Future,
    panic,
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use green_light_core::{Mutex, progress};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{RwLock, RwLockReadGuard},
};

use crate::error::{Error, Kind};
use crate::url::DatabaseUrl;

/// How long the end of the process waits for what is being made or dropped.
const AT_EXIT: Duration = Duration::from_secs(2);
/// After how much of that it prints what it waits for.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long to sleep between two looks.
const MOMENT: Duration = Duration::from_millis(1);
/// How many databases are worth dropping while tests run.
const BATCH: usize = 8;
/// The same at the end of a process that had one test only, as those of nextest have.
const SMALL_BATCH: usize = 4;
/// How many databases of one process may wait to be dropped.
const MAX_BACKLOG: usize = 32;

/// What goes on for one server.
#[derive(Debug, Default)]
pub(crate) struct Background {
    /// Templates from which databases are being created.
    replenishing: Mutex<HashSet<String>>,
    /// Held for reading while a database is being created or dropped.
    work: RwLock<()>,
    /// How many databases this process has released since it last dropped some.
    released: AtomicUsize,
    /// Whether the process is about to end, so that no database is created any more.
    closing: AtomicBool,
    pub(crate) backlog: Backlog,
}

impl Background {
    /// How many databases are to be ready for each template.
    pub(crate) fn ready_target() -> i64 {
        static TARGET: LazyLock<i64> = LazyLock::new(|| {
            let parallel = thread::available_parallelism().map_or(2, usize::from);
            i64::try_from(parallel.clamp(2, 8)).unwrap_or(2)
        });
        *TARGET
    }

    /// The same for the sandbox. Its databases are recycled, so one is enough.
    pub(crate) const MIN_READY: i64 = 1;

    /// How many databases of a template may be ready. More are not recycled.
    pub(crate) fn max_ready() -> i64 {
        Self::ready_target() + 2
    }

    /// How many databases are worth dropping at the end of this process.
    pub(crate) fn batch_at_exit() -> usize {
        let alone = env::var_os("NEXTEST").is_none_or(|value| value.is_empty());
        if alone { 1 } else { SMALL_BATCH }
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// The end of the process waits as long as what this returns is held.
    pub(crate) async fn work_guard(&self) -> RwLockReadGuard<'_, ()> {
        self.work.read().await
    }

    /// A database was released. How many are worth dropping now, if any.
    pub(crate) fn note_released(&self) -> Option<usize> {
        let enough = self.released.fetch_add(1, Ordering::Relaxed) + 1 >= BATCH;
        if enough {
            self.released.store(0, Ordering::Relaxed);
        }
        enough.then_some(BATCH)
    }

    /// Whether databases of `template` are to be created now;
    /// [`end_replenishing`](Self::end_replenishing) is called when they are.
    pub(crate) fn begin_replenishing(&self, template: &str) -> bool {
        !self.is_closing() && self.replenishing.lock().insert(template.to_owned())
    }

    pub(crate) fn end_replenishing(&self, template: &str) {
        self.replenishing.lock().remove(template);
    }

    /// No database is created ahead from here on.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Waits until no database is being created or dropped.
    pub(crate) async fn drain(&self) {
        // What a test has just left is counted before the work on it begins.
        while self.backlog.leaving.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(MOMENT).await;
        }
        drop(self.work.write().await);
    }
}

/// How many databases of this process no test needs any more, and are not dropped yet.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// Left by their tests, and not marked as garbage yet.
    leaving: AtomicUsize,
    /// Marked; some may have been dropped since they were counted.
    garbage: AtomicUsize,
}

impl Backlog {
    /// A test leaves its database.
    pub(crate) fn leave(&self) {
        self.leaving.fetch_add(1, Ordering::Relaxed);
    }

    /// That database was recycled, or else marked as garbage.
    pub(crate) fn left(&self, was_recycled: bool) {
        if !was_recycled {
            self.garbage.fetch_add(1, Ordering::Relaxed);
        }
        self.leaving.fetch_sub(1, Ordering::Relaxed);
    }

    /// So much is marked as garbage now.
    pub(crate) fn set_garbage(&self, count: usize) {
        self.garbage.store(count, Ordering::Relaxed);
    }

    /// Whether there is so much that no database may be created.
    pub(crate) fn is_full(&self) -> bool {
        self.leaving.load(Ordering::Relaxed) + self.garbage.load(Ordering::Relaxed) >= MAX_BACKLOG
    }
}

/// Runs `work` on `server` at the end of the process, which waits for it. The next process does what is not done
/// by then.
pub(crate) fn run_at_exit(server: &DatabaseUrl, work: impl Future<Output = ()> + Send + 'static) {
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

/// Starts work that outlives the test that asks for it.
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
