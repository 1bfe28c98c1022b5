//! `kill -9` of a process at every message that it sends to MySQL: while it builds a template, copies it,
//! and drops the copy.

use std::{
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, mysql::MySqlConnectOptions};

use crate::{
    checkout::Checkout,
    children::{LONG, Partner, one_of, part, said, say, wait_for_a_line},
    proxy::{At, Proxy, Upstream, When, Wire},
    support::{number, run},
};

/// More messages than a process sends.
const MANY: usize = 1_000;
/// Of how many messages one is tried.
const EVERY: usize = 6;

async fn engine() -> Engine {
    async fn seed(db: &DatabaseConnection) -> Result<(), DbErr> {
        let rows = "INSERT INTO seeded VALUES (1), (2)";
        db.execute_unprepared(rows).await.map(drop)
    }
    let sql = "CREATE TABLE one (x INT); INSERT INTO one VALUES (1); \
               CREATE TABLE two (x INT); INSERT INTO two VALUES (1), (2); CREATE TABLE seeded (x INT); \
               CREATE TABLE counted (x INT AUTO_INCREMENT PRIMARY KEY)";
    let schema = Schema::sql(sql).seed(seed).key("fixed");
    Engine::builder()
        .backend(Backend::MySql)
        .schema(schema)
        .build()
        .await
        .unwrap()
}

async fn session() -> Session {
    let engine = engine().await;
    engine.session(Isolation::Database).await.unwrap()
}

async fn one_test() {
    let engine = engine().await;
    let sandboxed = engine.session(Isolation::Transaction).await.unwrap();
    let counted = "INSERT INTO counted VALUES (NULL)";
    sandboxed.execute_unprepared(counted).await.unwrap();
    sandboxed.finish().await.unwrap();
    let session = engine.session(Isolation::Database).await.unwrap();
    let found = "SELECT (SELECT count(*) FROM one) * 100 + (SELECT count(*) FROM two) * 10 \
                 + (SELECT count(*) FROM seeded)";
    assert_eq!(number(&session, found).await, 122);
    session.finish().await.unwrap();
}

#[test]
fn a_process_killed_at_any_of_its_messages_to_mysql_leaves_nothing_that_the_next_one_minds() {
    let test = "my_killed::a_process_killed_at_any_of_its_messages_to_mysql_leaves_nothing_that_the_next_one_minds";
    match part().as_deref() {
        Some("hold") => return run(hold()),
        Some(_) => return run(one_test()),
        None => {}
    }
    let server = Server::start(test);
    let mut killed_at = Vec::new();
    let every = one_of(EVERY);
    for (when, first) in [(When::Before, 0), (When::During, every / 2)] {
        let before = killed_at.len();
        let steps = (first..MANY).step_by(every);
        killed_at.extend(steps.map_while(|number| server.one_step(At::Number(number), when)));
        println!("{when:?}: killed at {} messages", killed_at.len() - before);
    }
    for step in [
        "CREATE DATABASE IF NOT EXISTS green_light",
        "INSERT INTO green_light.processes",
        "GET_LOCK('green_light.template.",
        "INSERT INTO green_light.test_databases",
        "CREATE DATABASE `gl_t_",
        "CREATE TABLE one",
        "CREATE TABLE two",
        "INSERT INTO seeded",
        "REPLACE INTO green_light.templates",
        "CREATE DATABASE `gl_d_",
        "SET state = 'taken'",
        "SET state = 'done'",
        "AUTO_INCREMENT = 1",
        "SET state = 'used'",
        "DROP DATABASE IF EXISTS `gl_d_",
        "RELEASE_ALL_LOCKS",
    ] {
        // A number may have missed it, also where several connections are used.
        if !killed_at.iter().any(|message| message.contains(step)) {
            let killed = server.one_step(At::Text(step), When::Before).is_some();
            assert!(killed, "nobody sends `{step}`");
        }
    }
    server.end();
}

/// Keeps the server running, until it is killed.
pub(crate) async fn hold() {
    let session = session().await;
    let data = Statement::from_string(DbBackend::MySql, "SELECT @@datadir");
    let row = session.query_one_raw(data).await.unwrap().unwrap();
    let data: String = row.try_get_by_index(0).unwrap();
    // What it makes ahead would otherwise be made while everything is dropped.
    let ready = "SELECT count(*) FROM green_light.test_databases WHERE state = 'free'";
    let parallel = thread::available_parallelism().map_or(2, usize::from);
    while number(&session, ready).await < parallel.clamp(2, 8) as i64 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    say("url", session.url().expose());
    say("data", &data);
    wait_for_a_line();
}

/// A server that no other test uses.
pub(crate) struct Server {
    checkout: Checkout,
    holder: Partner,
    data: PathBuf,
    admin: String,
    upstream: Upstream,
    test: &'static str,
}

impl Server {
    /// Starts it by a process that plays `hold` in `test`.
    pub(crate) fn start(test: &'static str) -> Self {
        let checkout = Checkout::new();
        let mut holder = Partner::start(&mut checkout.playing(test, "hold"));
        let server: MySqlConnectOptions = holder.hear("url").parse().unwrap();
        let data = PathBuf::from(holder.hear("data"));
        let socket = server.get_socket().unwrap().clone();
        Self {
            checkout,
            holder,
            data,
            admin: format!("mysql://root@localhost/mysql?socket={}", socket.display()),
            upstream: Upstream::Socket(socket),
            test,
        }
    }

    pub(crate) fn end(self) {
        self.holder.kill();
        self.checkout.end(&self.data);
    }

    /// A proxy before the server, on which nobody has been before, and a process that plays `part` through it.
    pub(crate) fn proxy(&self, at: At, when: When, part: &str) -> (Proxy, Command) {
        run(self.forget());
        let proxy = Proxy::start(Wire::MySql, &self.upstream, at, when);
        let through = format!(
            "mysql://root@127.0.0.1:{}/mysql?ssl-mode=disabled",
            proxy.port()
        );
        let mut command = self.checkout.playing(self.test, part);
        command.env("GREEN_LIGHT_MYSQL_URL", through);
        (proxy, command)
    }

    /// Lets other processes do the same work, after which nothing is left of the one that ended at `at`.
    pub(crate) fn expect_nothing_left(&self, at: At, before: &[String], message: Option<&str>) {
        let again = |part| {
            let mut next = self.checkout.playing(self.test, part);
            next.env("GREEN_LIGHT_MYSQL_URL", &self.admin);
            said(next.spawn().unwrap());
        };
        again("next");
        let mut left = run(self.leftovers());
        if !left.is_empty() {
            // The server had not noticed yet that the process was gone.
            let begun = Instant::now();
            while run(self.connected()).iter().any(|id| !before.contains(id)) {
                assert!(begun.elapsed() < LONG, "somebody stays connected");
            }
            again("last");
            left = run(self.leftovers());
        }
        assert!(left.is_empty(), "{at:?}: {message:?}: {left:?}");
    }

    /// Kills a process at one of its messages, and lets another one do the same work after it.
    fn one_step(&self, at: At, when: When) -> Option<String> {
        let before = run(self.connected());
        let (proxy, victim) = self.proxy(at, when, "killed");
        let killed_at = proxy.run(victim);
        self.expect_nothing_left(at, &before, killed_at.as_deref());
        killed_at
    }

    async fn admin(&self) -> MySqlConnection {
        MySqlConnection::connect(&self.admin).await.unwrap()
    }

    async fn strings(&self, sql: &'static str) -> Vec<String> {
        let mut admin = self.admin().await;
        let found = sqlx::query_scalar(sql).fetch_all(&mut admin).await.unwrap();
        admin.close().await.unwrap();
        found
    }

    /// Makes the server as it was when nobody had used it.
    async fn forget(&self) {
        let ours = "SELECT CONVERT(schema_name USING utf8mb4) FROM information_schema.schemata \
                    WHERE schema_name = 'green_light' OR schema_name LIKE 'gl\\_%'";
        let names = self.strings(ours).await;
        let mut admin = self.admin().await;
        for name in names {
            let drop = format!("DROP DATABASE `{name}`");
            admin.execute(AssertSqlSafe(drop)).await.unwrap();
        }
        admin.close().await.unwrap();
    }

    /// What is neither a whole template nor the list of all.
    async fn leftovers(&self) -> Vec<String> {
        self.strings(
            "SELECT CONVERT(schema_name USING utf8mb4) FROM information_schema.schemata \
             WHERE schema_name LIKE 'gl\\_%' \
               AND schema_name NOT IN (SELECT name FROM green_light.templates) \
               AND schema_name NOT IN (SELECT name FROM green_light.test_databases) \
             UNION ALL SELECT concat(name, ' entered as ', state) FROM green_light.test_databases \
             WHERE state NOT IN ('free', 'used')",
        )
        .await
    }

    /// Who is connected.
    pub(crate) async fn connected(&self) -> Vec<String> {
        let mut connected = self
            .strings(
                "SELECT CONVERT(id, CHAR) FROM information_schema.processlist \
                 WHERE id <> connection_id()",
            )
            .await;
        connected.sort();
        connected
    }
}
