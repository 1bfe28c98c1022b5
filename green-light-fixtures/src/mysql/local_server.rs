//! MariaDB and MySQL: one server program under either name, on a private socket, with durability off.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::local_server::command_output::stdout_of;
use crate::local_server::program::{RecommendedSetting, ServerProgram};
use crate::local_server::running::RunningServer;
use crate::local_server::server_dir::TEMPORARY;
use crate::local_server::watchdog::quiet;
use crate::local_server::{hints, locate};
use crate::server::url::encode;

/// After a crash of the machine, a new cluster is made, so this one need not survive it.
const SETTINGS: [&str; 11] = [
    "--skip-networking",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
    "--max-connections=300",
    // Its default is a day, its MySQL default a year.
    "--lock-wait-timeout=60",
    "--default-storage-engine=InnoDB",
    // By default a hundred megabytes.
    "--innodb-log-file-size=24M",
];

/// What only MariaDB knows. The first one makes its cluster five times as fast. What was undone goes to files that
/// become small again; in the file of the system it would stay.
const MARIADB: [&str; 5] = [
    "--debug-no-sync",
    "--innodb-flush-method=nosync",
    "--innodb-undo-tablespaces=2",
    "--innodb-undo-log-truncate=ON",
    "--innodb-max-undo-log-size=10M",
];

/// What only MySQL knows. A directory for files that a package has set belongs to its service, and
/// without it MySQL does not start; MariaDB has none.
const MYSQL: [&str; 4] = [
    "--mysqlx=OFF",
    "--secure-file-priv=",
    "--loose-innodb-redo-log-capacity=24M",
    "--innodb-max-undo-log-size=10485760",
];

const PROGRAMS: [&str; 2] = ["mariadbd", "mysqld"];

const PLACES: [&str; 8] = [
    "/usr/sbin",
    "/usr/libexec",
    "/opt/homebrew/opt/mariadb*/bin",
    "/opt/homebrew/opt/mysql*/bin",
    "/usr/local/opt/mariadb*/bin",
    "/usr/local/opt/mysql*/bin",
    "/usr/local/mysql/bin",
    "/usr/local/mariadb/bin",
];

/// Has no password on a server of ours, which only its own system user reaches.
pub(crate) const ADMINISTRATOR: &str = "root";
const PROCESS: &str = "mysqld.pid";
const SOCKET: &str = "s";

/// The MySQL or MariaDB that this process works with.
pub(crate) static SERVER: RunningServer = RunningServer::new(&MYSQL_OR_MARIADB);

pub(crate) const MYSQL_OR_MARIADB: ServerProgram = ServerProgram {
    name: "MariaDB or MySQL",
    slug: "mysql",
    variable: "GREEN_LIGHT_MYSQL_URL",
    schemes: &["mysql://", "mariadb://"],
    users: &["mysql", "_mysql", "nobody"],
    stop_signal: "TERM",
    stale_file: PROCESS,
    advice: "Installation of system tables failed!",
    install: "Debian: `apt-get install mariadb-server`, Fedora: `dnf install mariadb-server`, \
              macOS: `brew install mariadb`",
    socket: SOCKET,
    recommended: &[
        RecommendedSetting {
            name: "innodb_flush_log_at_trx_commit",
            value: "0",
            statement: "SET GLOBAL innodb_flush_log_at_trx_commit = 0",
            requires: None,
        },
        RecommendedSetting {
            name: "sync_binlog",
            value: "0",
            statement: "SET GLOBAL sync_binlog = 0",
            requires: Some("log_bin"),
        },
    ],
    reload: "",
    settings: |url| {
        let query = "SHOW GLOBAL VARIABLES";
        Box::pin(hints::settings::<sqlx::MySqlConnection>(url, query))
    },
    find: || locate::program(&PROGRAMS, &[], &PLACES),
    initialise,
    arguments,
    has_recovered: |_| true,
    url: |sockets| {
        let socket = encode(&sockets.join(SOCKET).to_string_lossy());
        format!("mysql://{ADMINISTRATOR}@localhost/mysql?socket={socket}")
    },
};

fn initialise(executable: &Path, data: &Path) -> Command {
    if is_mariadb(executable) {
        let mut command = Command::new(installer(executable));
        command.args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-name-resolve",
            "--skip-test-db",
        ]);
        // The installer of a distribution knows where everything is.
        if !executable.starts_with("/usr") || executable.starts_with("/usr/local") {
            command.arg(joined("--basedir=", &prefix(executable)));
        }
        // It runs in the directory of the server. As a script, it takes a path for several words if there
        // is a space in it, or worse.
        command
            .args(MARIADB)
            .arg(joined("--datadir=", &from_server_dir(data)))
            // The server goes into its cluster.
            .arg("--tmpdir=.");
        command
    } else {
        let mut command = Command::new(executable);
        command
            .args(["--no-defaults", "--initialize-insecure", "--skip-log-bin"])
            .arg(joined("--datadir=", data))
            .arg(joined("--tmpdir=", beside(data)));
        command
    }
}

fn arguments(executable: &Path, data: &Path, sockets: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = vec![
        "--no-defaults".into(),
        joined("--datadir=", data),
        joined("--tmpdir=", &beside(data).join(TEMPORARY)),
        joined("--socket=", &sockets.join(SOCKET)),
        joined("--pid-file=", &data.join(PROCESS)),
    ];
    arguments.extend(SETTINGS.map(Into::into));
    if is_mariadb(executable) {
        arguments.extend(MARIADB.map(Into::into));
    } else {
        arguments.extend(MYSQL.map(Into::into));
    }
    arguments
}

/// A new cluster, as seen from the directory of its server.
fn from_server_dir(data: &Path) -> PathBuf {
    let dir = beside(data).parent().unwrap_or(data);
    // With a dot, or it would be looked for beside the installed programs.
    Path::new(".").join(data.strip_prefix(dir).unwrap_or(data))
}

/// A server that starts removes every `#sql` file of its temporary directory, so no two may share one.
fn beside(data: &Path) -> &Path {
    data.parent().unwrap_or(data)
}

/// MariaDB's server may be installed under the name of MySQL's.
fn is_mariadb(executable: &Path) -> bool {
    let version = stdout_of(quiet(executable).arg("--version"));
    version.is_some_and(|version| version.contains("MariaDB"))
}

/// The script that comes with MariaDB's server, in a directory beside that of the server.
///
/// One in `PATH` may belong to another installation, whose files a newer server does not take.
fn installer(executable: &Path) -> PathBuf {
    const NAMES: [&str; 2] = ["mariadb-install-db", "mysql_install_db"];
    let prefix = prefix(executable);
    let beside = ["bin", "scripts"].map(|place| prefix.join(place));
    let mut beside = beside
        .iter()
        .flat_map(|place| NAMES.map(|name| place.join(name)));
    beside
        .find(|installer| installer.is_file())
        .or_else(|| locate::program(&NAMES, &[], &[]))
        .unwrap_or_else(|| NAMES[0].into())
}

/// Where the server and what belongs to it are installed.
fn prefix(executable: &Path) -> PathBuf {
    let directory = executable.parent().and_then(Path::parent);
    directory.unwrap_or(Path::new("/usr")).to_owned()
}

fn joined(option: &str, path: &Path) -> OsString {
    let mut joined = OsString::from(option);
    joined.push(path);
    joined
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::local_server::start;

    #[test]
    fn a_missing_server_is_an_error_with_the_command_that_installs_it() {
        let absent = ServerProgram {
            find: || None,
            ..MYSQL_OR_MARIADB
        };
        let error = start::join_or_start(&absent, Path::new("nowhere")).unwrap_err();
        assert!(error.is_server());
        let text = error.to_string();
        for part in [
            "MariaDB or MySQL is not installed, and `GREEN_LIGHT_MYSQL_URL` is not set",
            "Debian: `apt-get install mariadb-server`",
            "Fedora: `dnf install mariadb-server`",
            "macOS: `brew install mariadb`",
            "`GREEN_LIGHT_MYSQL_URL=mysql://user@localhost/name`",
        ] {
            assert!(text.contains(part), "`{part}` is not in: {text}");
        }
    }

    #[test]
    fn the_installer_is_the_one_of_the_same_installation() {
        let other = tempfile::tempdir().unwrap();
        for (place, name) in [
            ("bin", "mariadb-install-db"),
            ("scripts", "mysql_install_db"),
        ] {
            let place = other.path().join(place);
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join(name), "").unwrap();
            let installer = installer(&other.path().join("sbin/mariadbd"));
            assert_eq!(installer, place.join(name));
            fs::remove_file(installer).unwrap();
        }
    }
}
