//! A MySQL server of its own for a test, and a user of its own on it: what other tests do meanwhile
//! does not matter.
//!
//! A copy of the test program in another target directory starts another server.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, mysql::MySqlConnectOptions};
use tempfile::TempDir;

use crate::{
    checkout::Checkout,
    children::{LONG, Partner, part, playing, say, wait_for_a_line},
    proxy::Upstream,
    support::{administrator, number, outside, run},
};

/// The numbers among which are those that whoever keeps the server from stopping has.
pub(crate) const FIRST: usize = 7;

/// `password`, or none on MySQL: sqlx asks for a key there, and through a socket MySQL wants the password.
pub(crate) async fn password_by_socket<'a>(
    admin: &mut MySqlConnection,
    password: &'a str,
) -> &'a str {
    let query = sqlx::query_scalar("SELECT version() LIKE '%MariaDB%'");
    let mariadb: bool = query.fetch_one(admin).await.unwrap();
    if mariadb { password } else { "" }
}

/// A server, and a user who may make the databases that green-light makes, and nothing else.
pub(crate) struct MySqlServer {
    /// Keeps the server from stopping.
    holder: Option<Partner>,
    /// Of the owner of the server.
    admin: String,
    url: String,
    /// Of the user.
    pub(crate) password: &'static str,
    checkout: Checkout,
}

impl MySqlServer {
    /// A server that gives out as many connections.
    pub(crate) fn start(connections: i64) -> Self {
        let checkout = Checkout::new();
        let test = "mysql_server::a_server_of_its_own_is_another_one_and_stops_at_the_end";
        let mut holder = Partner::start(
            checkout
                .playing(test, "hold")
                .env_remove("GREEN_LIGHT_MYSQL_URL")
                .env("GREEN_LIGHT_CONNECTIONS", FIRST.to_string())
                .env("GREEN_LIGHT_LINGER", "3600"),
        );
        let of_a_database = holder.hear("url");
        let (address, query) = of_a_database.split_once('?').unwrap();
        let server = format!("{}?{query}", address.rsplit_once('/').unwrap().0);
        let password = run(async {
            let mut admin = MySqlConnection::connect(&server).await.unwrap();
            let password = password_by_socket(&mut admin, "secret").await;
            let prepare = format!(
                "CREATE USER tester@localhost IDENTIFIED BY '{password}'; \
                 GRANT ALL ON `green\\_light`.* TO tester@localhost; \
                 GRANT ALL ON `gl\\_%`.* TO tester@localhost; \
                 SET GLOBAL max_connections = {connections}"
            );
            admin.execute(AssertSqlSafe(prepare)).await.unwrap();
            admin.close().await.unwrap();
            password
        });
        Self {
            holder: Some(holder),
            admin: server,
            url: format!("mysql://tester:{password}@localhost?{query}"),
            password,
            checkout,
        }
    }

    pub(crate) async fn admin(&self) -> MySqlConnection {
        MySqlConnection::connect(&self.admin).await.unwrap()
    }

    /// The URL of the database `name` for the user.
    pub(crate) fn url_of(&self, name: &str) -> String {
        self.url
            .replacen("@localhost?", &format!("@localhost/{name}?"), 1)
    }

    /// Lets the server give the user no more connections than that.
    pub(crate) async fn limit_connections(&self, most: i64) {
        let mut admin = self.admin().await;
        let limit = format!("ALTER USER tester@localhost WITH MAX_USER_CONNECTIONS {most}");
        admin.execute(AssertSqlSafe(limit)).await.unwrap();
        admin.close().await.unwrap();
    }

    /// The URL of the owner of the server.
    pub(crate) fn server(&self) -> &str {
        &self.admin
    }

    /// Where a proxy finds it.
    pub(crate) fn upstream(&self) -> Upstream {
        let options: MySqlConnectOptions = self.admin.parse().unwrap();
        Upstream::Socket(options.get_socket().unwrap().clone())
    }

    /// A process that plays `part` in `test` as the user of this server.
    pub(crate) fn playing(&self, test: &str, part: &str) -> Command {
        let mut command = playing(test, part);
        command.env("GREEN_LIGHT_MYSQL_URL", &self.url);
        command
    }

    /// The names that `sql` finds.
    pub(crate) async fn names(&self, sql: &str) -> Vec<String> {
        let mut admin = self.admin().await;
        let names = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&mut admin)
            .await
            .unwrap();
        admin.close().await.unwrap();
        names
    }

    /// All its databases that do not belong to the server itself.
    pub(crate) async fn databases(&self) -> Vec<String> {
        self.names(
            "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN \
             ('mysql', 'sys', 'information_schema', 'performance_schema', 'green_light')",
        )
        .await
    }

    /// Lets the server run without the process that keeps it from stopping, and that has a connection.
    pub(crate) fn leave_alone(&mut self) {
        if let Some(mut holder) = self.holder.take() {
            holder.tell("go");
            holder.end();
        }
    }

    /// Stops the server.
    pub(crate) fn end(mut self) {
        let (mut admin, data) = run(async {
            let mut admin = self.admin().await;
            let data = sqlx::query_scalar("SELECT @@datadir").fetch_one(&mut admin);
            let data: String = data.await.unwrap();
            (admin, data)
        });
        self.leave_alone();
        // It may be stopping by itself already.
        let _ = run(admin.execute("SHUTDOWN"));
        drop(admin);
        let directory = Path::new(&data).parent().unwrap();
        // The watchdog does not wait for users of a server that has ended.
        fs::remove_file(directory.join("linger")).unwrap();
        self.checkout.end(Path::new(&data));
    }
}

#[test]
fn a_server_of_its_own_is_another_one_and_stops_at_the_end() {
    let own = async || {
        let engine = Engine::builder()
            .backend(Backend::MySql)
            .build()
            .await
            .unwrap();
        let session = engine.session(Isolation::Database).await.unwrap();
        let url = administrator(session.url().expose());
        let admin = outside(&url).await;
        // What it makes ahead would otherwise be made while a test looks at what there is.
        let ready = "SELECT count(*) FROM green_light.test_databases WHERE state = 'free'";
        let parallel = thread::available_parallelism().map_or(2, usize::from);
        while number(&admin, ready).await < parallel.clamp(2, 8) as i64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        admin.close().await.unwrap();
        session.finish().await.unwrap();
        url
    };
    if part().is_some() {
        let url = run(own());
        say("url", &url);
        wait_for_a_line();
        return;
    }
    let socket = |url: &str| url.split_once("socket=").unwrap().1.to_owned();
    let server = MySqlServer::start(50);
    assert_ne!(socket(&server.url), socket(&run(own())));
    let program = server.checkout.program().to_owned();
    server.end();
    assert!(!program.exists());
}

/// A server that a person would have started, with one option more.
pub(crate) struct Started {
    process: Child,
    directory: TempDir,
}

impl Started {
    pub(crate) fn with(option: &str) -> Self {
        let programs = [
            "mariadbd",
            "/usr/sbin/mariadbd",
            "mysqld",
            "/usr/sbin/mysqld",
        ];
        let version = |program: &&str| Command::new(program).arg("--version").output().ok();
        let found = programs.iter().find_map(|p| Some((*p, version(p)?.stdout)));
        let (program, version) = found.unwrap();
        let is_mariadb = String::from_utf8_lossy(&version).contains("MariaDB");
        let directory = tempfile::tempdir().unwrap();
        let joined = |option: &str, name: &str| {
            format!("--{option}={}", directory.path().join(name).display())
        };
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = format!("--user={}", String::from_utf8(user).unwrap().trim());
        let data = joined("datadir", "data");
        let common = ["--no-defaults", &data, &user, "--skip-log-bin"];
        let mut prepare = match is_mariadb {
            true => Command::new("mariadb-install-db"),
            false => Command::new(program),
        };
        let only = match is_mariadb {
            true => ["--auth-root-authentication-method=normal", "--skip-test-db"].as_slice(),
            false => ["--initialize-insecure"].as_slice(),
        };
        let prepared = prepare.args(common).args(only).output().unwrap();
        assert!(prepared.status.success(), "{prepared:?}");
        let process = Command::new(program)
            .args(common)
            .args([
                "--skip-networking",
                &joined("socket", "s"),
                &joined("pid-file", "pid"),
                option,
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { process, directory };
        let begun = Instant::now();
        while run(MySqlConnection::connect(&started.url())).is_err() {
            assert!(begun.elapsed() < LONG, "the server does not start");
            thread::sleep(Duration::from_millis(20));
        }
        started
    }

    pub(crate) fn url(&self) -> String {
        let socket = self.directory.path().join("s");
        let socket = socket.display().to_string().replace('/', "%2F");
        format!("mysql://root@localhost?socket={socket}")
    }

    pub(crate) fn end(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.directory.close().unwrap();
    }
}
