//! PostgreSQL: `initdb`, then `postgres` on a private socket, with durability off.

use std::{ffi::OsString, fs, os::unix::net::UnixStream, path::Path, process::Command};

use crate::local_server::locate;
use crate::local_server::program::Product;
use crate::local_server::server_dir::Home;
use crate::url::encode_host;

/// Nothing here has to survive a crash of the machine: after one, the cluster is made anew.
const SETTINGS: [&str; 16] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    // A visitor in a template database makes cloning it fail.
    "autovacuum=off",
    // The locks of a killed test are given back at once.
    "client_connection_check_interval=200ms",
    "max_connections=300",
    "max_locks_per_transaction=128",
    "max_wal_size=2GB",
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

pub(crate) const POSTGRES: Product = Product {
    name: "PostgreSQL",
    slug: "postgres",
    variable: "GREEN_LIGHT_POSTGRES_URL",
    schemes: &["postgres://", "postgresql://"],
    users: &["postgres", "_postgres", "nobody"],
    stop: "INT",
    stale: "postmaster.pid",
    advice: "initdb: removing",
    install: "Debian: `apt-get install postgresql`, Fedora: `dnf install postgresql-server`, \
              macOS: `brew install postgresql`",
    find: || {
        locate::program_beside(
            "postgres",
            "initdb",
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
    ready,
    is_there: |home| home.takes_connections(".s.PGSQL.5432"),
    url: |sockets| {
        // Read alike by libpq, tokio-postgres and sqlx.
        let sockets = encode_host(&sockets.to_string_lossy());
        format!("postgres://postgres@{sockets}:5432/postgres")
    },
};

fn initialise(program: &Path, data: &Path) -> Command {
    let mut command = Command::new(program.with_file_name("initdb"));
    command
        .args(["--no-sync", "--auth=trust"])
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
    let major = fs::read_to_string(data.join("PG_VERSION")).unwrap_or_default();
    let old = major.trim().parse().is_ok_and(|major: u32| major < 14);
    for setting in SETTINGS {
        if !(old && setting.starts_with(SINCE_14)) {
            arguments.extend(["-c".into(), setting.into()]);
        }
    }
    arguments
}

/// The server listens before it has recovered; its own file says when it has.
fn ready(home: &Home, sockets: &Path) -> bool {
    let says_so = fs::read_to_string(home.data().join("postmaster.pid"))
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|l| l.trim() == "ready"));
    says_so && UnixStream::connect(sockets.join(".s.PGSQL.5432")).is_ok()
}
