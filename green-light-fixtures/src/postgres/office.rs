//! This process on one server: its key, its connection, and the runtime that works for it.
//!
//! Invariants: the key's lock is held as long as the connection lives, so as long as the process
//! does. What is begun here goes on when the test that asked for it is gone; what it then brings is
//! given back.

use std::{
    env,
    future::Future,
    panic,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Mutex,
};

use super::{
    budget::Budget,
    connect::failed,
    janitor,
    registry::{self, Facts},
    stock::Stock,
};
use crate::{
    error::{Error, Kind},
    url::DatabaseUrl,
};

/// How long the end of the process waits for what is being made or dropped.
const AT_EXIT: Duration = Duration::from_secs(10);

/// This process on one server.
pub(crate) struct Office {
    server: DatabaseUrl,
    /// How to reach the server, with the database that the URL names.
    pub(super) options: PgConnectOptions,
    /// How to reach the maintenance database.
    pub(super) maintenance: PgConnectOptions,
    pub(super) facts: Facts,
    /// The number of this process on this server, whose lock it holds.
    pub(super) key: i64,
    pub(super) front: Mutex<PgConnection>,
    pub(super) budget: Budget,
    pub(super) stock: Stock,
    /// Whether the process is about to end, so that nothing new is made.
    pub(super) closing: AtomicBool,
}

impl Office {
    /// The office of this process at `server`, opened if it is not yet.
    pub(crate) async fn at(server: &DatabaseUrl) -> Result<Arc<Self>, Error> {
        static OPEN: Mutex<Vec<Arc<Office>>> = Mutex::const_new(Vec::new());
        let server = server.clone();
        on_own_runtime(async move {
            let mut open = OPEN.lock().await;
            if let Some(office) = open.iter().find(|office| office.server == server) {
                return Ok(Arc::clone(office));
            }
            let office = Arc::new(Self::open(server).await?);
            open.push(Arc::clone(&office));
            let ending = Arc::clone(&office);
            green_light_core::at_exit(move || ending.at_exit()).map_err(|error| {
                Error::new(Kind::Connection, "the end of the process cannot be watched")
                    .because(error)
            })?;
            Ok(office)
        })
        .await
    }

    async fn open(server: DatabaseUrl) -> Result<Self, Error> {
        let options: PgConnectOptions = server.expose().parse().map_err(|error: sqlx::Error| {
            Error::new(
                Kind::Configuration,
                format!("`{server}` does not say where PostgreSQL is"),
            )
            .help("write `postgres://role:password@host/database`")
            .because(error)
        })?;
        let application = application_name();
        let (front, maintenance, facts, budget) = Budget::admit(&options, &application).await?;
        let mut office = Self {
            server,
            options: options.application_name(&application),
            maintenance,
            facts,
            key: new_key(),
            front: Mutex::new(front),
            budget,
            stock: Stock::default(),
            closing: AtomicBool::new(false),
        };
        sqlx::query("SELECT pg_advisory_lock($1)")
            .bind(office.key)
            .execute(office.front.get_mut())
            .await
            .map_err(|error| failed("this process cannot be announced", error))?;
        Ok(office)
    }

    /// The URL of the database `name` on this server.
    pub(super) fn url_of(&self, name: &str) -> DatabaseUrl {
        self.server.with_database(name)
    }

    /// How to connect to the database `name`.
    pub(super) fn options_of(&self, name: &str) -> PgConnectOptions {
        self.options.clone().database(name)
    }

    /// The mark in the comment of every database of ours.
    pub(super) fn mark(&self) -> String {
        registry::mark(self.maintenance.get_database().unwrap_or_default())
    }

    /// Begins work that outlives the test that asks for it.
    pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) {
        if let Ok(runtime) = runtime() {
            drop(runtime.spawn(work));
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn at_exit(self: Arc<Self>) {
        self.closing.store(true, Ordering::Release);
        let (done, ended) = mpsc::channel();
        Self::spawn(async move {
            self.stock.quiet().await;
            janitor::last(&self).await;
            // The server frees the connection before it notices that the process is gone.
            let mut front = self.front.lock().await;
            let _ = sqlx::query("SELECT pg_advisory_unlock_all()")
                .execute(&mut *front)
                .await;
            let _ = done.send(());
        });
        // Whatever is not done by then, the next process does.
        let _ = ended.recv_timeout(AT_EXIT);
    }
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Office")
            .field("server", &self.server)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// Closes a connection in good order, which takes part of a millisecond.
pub(super) async fn close(connection: PgConnection) {
    let _ = connection.close().await;
}

/// Runs `work` where it goes on even if the caller is dropped.
pub(super) async fn on_own_runtime<T: Send + 'static>(
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

/// Who we are in `pg_stat_activity`, and so in messages.
fn application_name() -> String {
    let program = env::current_exe().ok();
    let program = program.as_deref().and_then(Path::file_stem).map_or_else(
        || "tests".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    // The hash that cargo puts behind the name says nothing to a reader.
    let name = match program.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 => name,
        _ => &program,
    };
    let name: String = name
        .chars()
        .filter(char::is_ascii_graphic)
        .take(32)
        .collect();
    format!("green-light {name} {}", std::process::id())
}

/// A number that no other process has.
fn new_key() -> i64 {
    i64::from_ne_bytes(random_bytes())
}

/// Bytes that nobody can guess or meet again.
pub(super) fn random_bytes() -> [u8; 8] {
    use std::hash::{BuildHasher as _, RandomState};
    let seed = (std::process::id(), std::time::SystemTime::now());
    RandomState::new().hash_one(seed).to_ne_bytes()
}
