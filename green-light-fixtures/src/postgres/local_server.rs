//! PostgreSQL: `initdb`, then `postgres` on a private socket, with durability off.

use std::{ffi::OsString, path::Path, process::Command};

use crate::local_server::program::{RecommendedSetting, ServerProgram};
use crate::local_server::running::RunningServer;
use crate::local_server::server_dir::ServerDir;
use crate::local_server::{guarded_file, hints, locate};
use crate::postgres::url::encode_host;

/// After a crash of the machine, a new cluster is made, so this one need not survive it.
const SETTINGS: [&str; 18] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    // A template database cannot be cloned while a worker of autovacuum is connected to it.
    "autovacuum=off",
    // The locks of a killed test are released at once.
    "client_connection_check_interval=200ms",
    "max_connections=300",
    "max_locks_per_transaction=128",
    // To create or drop a database takes a checkpoint, after which no more of the log than this is kept.
    "max_wal_size=256MB",
    "min_wal_size=8MB",
    // In its cluster, not in `/dev/shm`, where a server that was killed leaves what nothing removes once the cluster is
    // gone, and where a container has little room.
    "dynamic_shared_memory_type=mmap",
    "checkpoint_timeout=1h",
    // Short statements gain nothing from being compiled.
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    // Sockets only: their directory is private, so there is no password.
    "listen_addresses=",
    "logging_collector=off",
    "log_destination=stderr",
    "lc_messages=C",
];

/// An old server does not know these.
const SINCE_14: &str = "client_connection_check_interval";

/// The PostgreSQL that this process works with.
pub(crate) static SERVER: RunningServer = RunningServer::new(&POSTGRES);

pub(crate) const POSTGRES: ServerProgram = ServerProgram {
    name: "PostgreSQL",
    slug: "postgres",
    variable: "GREEN_LIGHT_POSTGRES_URL",
    schemes: &["postgres://", "postgresql://"],
    users: &["postgres", "_postgres", "nobody"],
    stop_signal: "INT",
    stale_file: "postmaster.pid",
    advice: "initdb: removing",
    install: "Debian: `apt-get install postgresql`, Fedora: `dnf install postgresql-server`, \
              macOS: `brew install postgresql`",
    socket: ".s.PGSQL.5432",
    recommended: &[
        recommended("fsync", "ALTER SYSTEM SET fsync = off"),
        recommended(
            "full_page_writes",
            "ALTER SYSTEM SET full_page_writes = off",
        ),
        recommended(
            "synchronous_commit",
            "ALTER SYSTEM SET synchronous_commit = off",
        ),
    ],
    reload: "; SELECT pg_reload_conf()",
    settings: |url| {
        let query = "SELECT name, setting FROM pg_catalog.pg_settings";
        Box::pin(hints::settings::<sqlx::PgConnection>(url, query))
    },
    find: || {
        locate::program(
            &["postgres"],
            &["initdb"],
            &[
                "/usr/lib/postgresql/*/bin",
                "/usr/pgsql-*/bin",
                "/opt/homebrew/opt/postgresql*/bin",
                "/usr/local/opt/postgresql*/bin",
                "/Applications/Postgres.app/Contents/Versions/*/bin",
                "/usr/local/pgsql/bin",
            ],
        )
    },
    initialise,
    arguments,
    has_recovered,
    url: |sockets| {
        // Read alike by libpq, tokio-postgres and sqlx.
        let sockets = encode_host(&sockets.to_string_lossy());
        format!("postgres://postgres@{sockets}:5432/postgres")
    },
};

const fn recommended(name: &'static str, statement: &'static str) -> RecommendedSetting {
    RecommendedSetting {
        name,
        value: "off",
        statement,
        requires: None,
    }
}

fn initialise(executable: &Path, data: &Path) -> Command {
    let mut command = Command::new(executable.with_file_name("initdb"));
    command
        .args(["--no-sync", "--auth=trust", "--wal-segsize=1"])
        .args(["--username=postgres", "--encoding=UTF8", "--lc-collate=C"])
        // Letters beyond ASCII have an upper case, in the order of their code points.
        .arg(if cfg!(target_os = "macos") {
            "--lc-ctype=UTF-8"
        } else {
            "--lc-ctype=C.UTF-8"
        })
        .arg("-D")
        .arg(data);
    command
}

fn arguments(_program: &Path, data: &Path, sockets: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec!["-D".into(), data.into(), "-k".into(), sockets.into()];
    let major = guarded_file::read(&data.join("PG_VERSION"));
    let old = major.trim().parse().is_ok_and(|major: u32| major < 14);
    for setting in SETTINGS {
        if !(old && setting.starts_with(SINCE_14)) {
            arguments.extend(["-c".into(), setting.into()]);
        }
    }
    arguments
}

/// The server listens before it has recovered. Then it writes a word into its file.
fn has_recovered(dir: &ServerDir) -> bool {
    let text = guarded_file::read(&dir.data().join("postmaster.pid"));
    text.lines()
        .nth(7)
        .is_some_and(|word| word.trim() == "ready")
}
