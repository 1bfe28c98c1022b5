//! A PostgreSQL and a MariaDB that take connections over TCP and TLS, from the installed programs.
//!
//! Those that green-light starts listen on sockets alone; they say where the programs are, and who runs them.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sqlx::{MySqlPool, PgPool};
use tempfile::TempDir;

use super::certificates::Authority;

/// A server for the time of the tests.
#[derive(Clone)]
pub struct Server {
    process: Arc<Process>,
    scheme: &'static str,
    user: &'static str,
    port: u16,
}

struct Process {
    process: Child,
    directory: TempDir,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// How `user` connects.
    pub fn url(&self, parameters: &str) -> String {
        let Self {
            scheme, user, port, ..
        } = self;
        format!("{scheme}://{user}@localhost:{port}/{scheme}?{parameters}")
    }

    /// The same server for another user.
    pub fn with_user(&self, user: &'static str) -> Self {
        Self {
            user,
            ..self.clone()
        }
    }

    /// Its kind, as the scheme of a URL.
    pub fn name(&self) -> &'static str {
        self.scheme
    }

    /// The variable by which green-light learns of it.
    pub fn variable(&self) -> &'static str {
        match self.scheme {
            "mysql" => "`GREEN_LIGHT_MYSQL_URL",
            _ => "`GREEN_LIGHT_POSTGRES_URL",
        }
    }

    /// The certificate of the authority, as a parameter of a URL has it.
    pub fn authority(&self) -> String {
        self.process
            .directory
            .path()
            .join("ca.crt")
            .display()
            .to_string()
    }
}

/// Where the programs of an installed server are, and who may run them.
struct Installed {
    programs: Vec<PathBuf>,
    owner: (u32, u32),
}

impl Installed {
    fn new(programs: &[String], data: &str) -> Self {
        let data = fs::metadata(data).unwrap();
        Self {
            programs: programs.iter().map(PathBuf::from).collect(),
            owner: (data.uid(), data.gid()),
        }
    }

    fn program(&self, name: &str) -> Command {
        let mut programs = self.programs.iter().map(|place| place.join(name));
        let program = programs.find(|program| program.is_file());
        let mut command = Command::new(program.unwrap_or_else(|| panic!("{name} is installed")));
        // Only root may ask for it, and only root has to.
        if own_id() == 0 {
            command.uid(self.owner.0).gid(self.owner.1);
        }
        command.stdin(Stdio::null());
        command
    }

    fn give(&self, path: &Path) {
        if own_id() == 0 {
            chown(path, Some(self.owner.0), Some(self.owner.1)).unwrap();
        }
    }
}

fn own_id() -> u32 {
    let mine = tempfile::tempfile().unwrap();
    mine.metadata().unwrap().uid()
}

/// A directory of the server's own, with the certificates.
fn directory(installed: &Installed) -> TempDir {
    let directory = tempfile::Builder::new()
        .prefix("tls-")
        .tempdir_in("/tmp")
        .unwrap();
    let path = directory.path();
    let authority = Authority::new();
    authority.write(path, "ca");
    authority.sign(path, "good", "localhost", false);
    authority.sign(path, "other", "db.example.org", false);
    authority.sign(path, "old", "localhost", true);
    for entry in fs::read_dir(path).unwrap() {
        let file = entry.unwrap().path();
        let mode = if file.ends_with("ca.crt") {
            0o644
        } else {
            0o600
        };
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        installed.give(&file);
    }
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    installed.give(path);
    directory
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Starts `command`, and waits until what it logs has `ready` in it.
fn listening(command: &mut Command, directory: TempDir, ready: &str) -> Arc<Process> {
    let path = directory.path().join("log");
    let log = fs::File::create(&path).unwrap();
    command.stdout(log.try_clone().unwrap()).stderr(log);
    let process = Arc::new(Process {
        process: command.spawn().unwrap(),
        directory,
    });
    let begun = Instant::now();
    loop {
        let log = fs::read_to_string(&path).unwrap();
        if log.contains(ready) {
            return process;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{log}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// PostgreSQL, with the certificate `name`, or without TLS.
pub async fn postgres(pool: &PgPool, name: Option<&str>) -> sqlx::Result<Server> {
    let ask = "SELECT (SELECT setting FROM pg_config WHERE name = 'BINDIR'), current_setting('data_directory')";
    let (programs, data): (String, String) = sqlx::query_as(ask).fetch_one(pool).await?;
    let installed = Installed::new(&[programs], &data);
    let directory = directory(&installed);
    let (path, port) = (directory.path().to_owned(), free_port());
    run(installed
        .program("initdb")
        .args(["--no-sync", "--auth=trust", "--username=app", "-D"])
        .arg(path.join("data")));
    let access = "hostssl all careful all trust\n\
        hostssl all certified all cert\n\
        host all app all trust\n";
    fs::write(path.join("data/pg_hba.conf"), access).unwrap();
    let mut command = installed.program("postgres");
    command
        .arg("-D")
        .arg(path.join("data"))
        .arg("-k")
        .arg(&path);
    command.args(["-c", "fsync=off", "-p", &port.to_string()]);
    if let Some(name) = name {
        let file = |end| path.join(format!("{name}.{end}")).display().to_string();
        command.args([
            "-c",
            "ssl=on",
            "-c",
            &format!("ssl_cert_file={}", file("crt")),
        ]);
        command.args(["-c", &format!("ssl_key_file={}", file("key"))]);
        command.args(["-c", &format!("ssl_ca_file={}/ca.crt", path.display())]);
    }
    Ok(Server {
        process: listening(&mut command, directory, "ready to accept connections"),
        scheme: "postgres",
        user: "app",
        port,
    })
}

/// MariaDB, with the certificate `name`, or without TLS.
pub async fn mysql(pool: &MySqlPool, name: Option<&str>) -> sqlx::Result<Server> {
    let ask = "SELECT @@basedir, @@datadir";
    let (base, data): (String, String) = sqlx::query_as(ask).fetch_one(pool).await?;
    let base = base.trim_end_matches('/');
    let places = ["sbin", "bin", "libexec", "scripts"].map(|place| format!("{base}/{place}"));
    let installed = Installed::new(&places, &data);
    let directory = directory(&installed);
    let (path, port) = (directory.path().to_owned(), free_port());
    let data = format!("--datadir={}/data", path.display());
    // A server removes the temporary tables of others when it starts.
    let temporary = format!("--tmpdir={}", path.display());
    run(installed
        .program("mariadb-install-db")
        .args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            &data,
            &temporary,
        ])
        .current_dir(&path));
    let mut command = installed.program("mariadbd");
    command.args([
        "--no-defaults",
        &data,
        &temporary,
        "--bind-address=127.0.0.1",
    ]);
    command.arg(format!("--port={port}"));
    command.arg(format!("--socket={}/s", path.display()));
    command.arg(format!("--pid-file={}/pid", path.display()));
    if let Some(name) = name {
        let file = |end| path.join(format!("{name}.{end}")).display().to_string();
        command.arg(format!("--ssl-cert={}", file("crt")));
        command.arg(format!("--ssl-key={}", file("key")));
        command.arg("--require-secure-transport");
    } else {
        command.arg("--skip-ssl");
    }
    Ok(Server {
        process: listening(&mut command, directory, "ready for connections"),
        scheme: "mysql",
        user: "root",
        port,
    })
}
