//! Servers as their users see them: processes that start, share, are killed, and leave nothing.
//!
//! Each test has a target directory of its own. A user is this executable, running the one test
//! below that does nothing but use a server until it is killed or told to end.

use std::{
    env,
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{home::Home, product::Product, start, user::User, watch::Use};

/// What a machine with other things to do may need.
const BOUND: Duration = Duration::from_secs(90);

fn products() -> Vec<&'static Product> {
    vec![
        #[cfg(feature = "postgres")]
        &super::postgres::POSTGRES,
        #[cfg(feature = "mysql")]
        &super::mysql::MYSQL_OR_MARIADB,
    ]
}

#[test]
#[ignore = "started by the other tests, in a process of its own"]
fn user() {
    let base = PathBuf::from(env::var_os("TEST_BASE").expect("a test has started this"));
    let slug = env::var("TEST_PRODUCT").unwrap();
    let product = products().into_iter().find(|p| p.slug == slug).unwrap();
    let begun = Instant::now();
    match start::running(product, &base) {
        Ok(used) => {
            println!("sockets {}", used.sockets.display());
            println!("after {:?}", begun.elapsed());
            // Until the test closes it.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            drop(used);
        }
        Err(error) => println!("error {error:?}"),
    }
}

/// A target directory that an unprivileged user can enter.
fn target() -> TempDir {
    let target = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(target.path(), Permissions::from_mode(0o755)).unwrap();
    target
}

struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(product: &Product, base: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["server::tests::user", "--exact", "--ignored", "--nocapture"])
            .env("TEST_BASE", base)
            .env("TEST_PRODUCT", product.slug)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Waits until it uses a server; where its sockets are.
    fn sockets(&mut self) -> PathBuf {
        let mut seen = String::new();
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 || line.starts_with("error") {
                self.output.read_to_string(&mut line).unwrap();
                panic!("no server: {seen}{line}");
            }
            if let Some(sockets) = line.strip_prefix("sockets ") {
                let sockets = PathBuf::from(sockets.trim_end());
                line.clear();
                self.output.read_line(&mut line).unwrap();
                println!("{}", line.trim_end());
                return sockets;
            }
            seen.push_str(&line);
        }
    }

    /// Ends it in good order. Everything it wrote, up to the end of its output.
    fn end(mut self) -> String {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        rest
    }
}

fn home(product: &Product, base: &Path) -> Home {
    let program = (product.find)().unwrap();
    let user = User::for_server(product.users).unwrap();
    Home::open(base, product.slug, &program, user).unwrap()
}

#[track_caller]
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < BOUND, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until no process of the server is left.
#[track_caller]
fn expect_gone(home: &Home) {
    eventually("the server is still there", || {
        home.try_lock("alive").unwrap().is_some()
    });
    assert!(Use::join(home).is_none());
}

fn is_running(process: &str) -> bool {
    let status = Path::new("/proc").join(process).join("status");
    fs::read_to_string(status).is_ok_and(|text| !text.contains("State:\tZ"))
}

fn server_process(home: &Home) -> String {
    fs::read_to_string(home.file("server.pid"))
        .unwrap()
        .trim()
        .to_owned()
}

#[test]
fn is_started_once_and_shared_and_stops_after_its_last_user() {
    for product in products() {
        let target = target();
        let home = home(product, target.path());
        let mut one = Process::start(product, target.path());
        let sockets = one.sockets();
        let mut two = Process::start(product, target.path());
        assert_eq!(two.sockets(), sockets);
        let server = server_process(&home);
        one.end();
        thread::sleep(Duration::from_secs(2));
        assert!(is_running(&server) && home.try_lock("alive").unwrap().is_none());
        two.end();
        expect_gone(&home);
        assert!(!is_running(&server));
        // The cluster has been kept.
        let made = fs::metadata(home.data()).unwrap().created().ok();
        let mut three = Process::start(product, target.path());
        three.sockets();
        assert_eq!(fs::metadata(home.data()).unwrap().created().ok(), made);
        three.end();
        expect_gone(&home);
    }
}

/// Of a server that is started, whichever the environment names.
fn own_url(product: &Product) -> String {
    let used = start::running(product, &crate::directory::default_base()).unwrap();
    let url = (product.url)(&used.sockets);
    // Used until this process ends.
    std::mem::forget(used);
    url
}

#[tokio::test]
#[cfg(feature = "postgres")]
async fn postgres_takes_connections_and_is_not_durable() {
    use sqlx::Connection as _;

    let url = own_url(&super::postgres::POSTGRES);
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    for (setting, value) in [
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("autovacuum", "off"),
        ("max_connections", "300"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
    ] {
        let sql = format!("SHOW {setting}");
        let shown: String = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(shown, value, "{setting}");
    }
    connection.close().await.unwrap();
}

#[tokio::test]
#[cfg(feature = "mysql")]
async fn mysql_takes_connections_and_is_not_durable() {
    use sqlx::Connection as _;

    let url = own_url(&super::mysql::MYSQL_OR_MARIADB);
    let mut connection = sqlx::MySqlConnection::connect(&url).await.unwrap();
    for (setting, value) in [
        ("innodb_flush_log_at_trx_commit", "0"),
        ("innodb_doublewrite", "OFF"),
        ("log_bin", "OFF"),
        ("skip_networking", "ON"),
        ("character_set_server", "utf8mb4"),
    ] {
        let sql = format!("SHOW GLOBAL VARIABLES LIKE '{setting}'");
        let shown: (String, String) = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(shown.1, value, "{setting}");
    }
    connection.close().await.unwrap();
}
