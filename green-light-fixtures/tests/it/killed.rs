//! `kill -9` of a process at every message that it sends to a server: while it builds a template, makes
//! databases of it, hands one out, and clears away.

use std::{
    path::PathBuf,
    process::Command,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sqlx::{
    AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, mysql::MySqlConnectOptions,
};

use crate::{
    checkout::Checkout,
    children::{LONG, Partner, one_of, part, said, say, wait_for_a_line},
    proxy::{At, Proxy, Upstream, When, Wire},
    role::Role,
    support::{On, number, run},
};

on_each_server!(a_process_killed_at_any_of_its_messages_leaves_nothing_that_the_next_one_minds);

/// More messages than a process sends.
const MANY: usize = 1_000;
/// Of how many messages one is tried.
const EVERY: usize = 6;

/// Three migrations and a seed, and on PostgreSQL a setting of the database itself.
async fn engine(backend: Backend) -> Engine {
    async fn seed(db: &DatabaseConnection) -> Result<(), DbErr> {
        let rows = "INSERT INTO seeded VALUES (1), (2)";
        db.execute_unprepared(rows).await?;
        if db.get_database_backend() == DbBackend::Postgres {
            let here = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem TO %L', \
                        current_database(), '7MB'); END $$";
            db.execute_unprepared(here).await?;
        }
        Ok(())
    }
    let id = match backend {
        Backend::Postgres => "INT GENERATED ALWAYS AS IDENTITY",
        _ => "INT AUTO_INCREMENT PRIMARY KEY",
    };
    let sql = format!(
        "CREATE TABLE one (x INT); INSERT INTO one VALUES (1); \
         CREATE TABLE two (x INT); INSERT INTO two VALUES (1), (2); CREATE TABLE seeded (x INT); \
         CREATE TABLE counted (id {id}, x INT)"
    );
    let engine = Engine::builder().backend(backend);
    let engine = engine.schema(Schema::sql(sql).seed(seed).key("fixed"));
    engine.build().await.unwrap()
}

async fn one_test(backend: Backend) {
    let engine = engine(backend).await;
    let sandboxed = engine.session(Isolation::Transaction).await.unwrap();
    let counted = "INSERT INTO counted (x) VALUES (1)";
    sandboxed.execute_unprepared(counted).await.unwrap();
    sandboxed.finish().await.unwrap();
    let session = engine.session(Isolation::Database).await.unwrap();
    let found = "SELECT (SELECT count(*) FROM one) * 100 + (SELECT count(*) FROM two) * 10 \
                 + (SELECT count(*) FROM seeded)";
    assert_eq!(number(&session, found).await, 122);
    if backend == Backend::Postgres {
        let mark = "SELECT count(*) FROM pg_settings WHERE name = 'work_mem' AND setting = '7168'";
        assert_eq!(number(&session, mark).await, 1);
    }
    session.finish().await.unwrap();
}

/// What is among the messages to PostgreSQL.
const TO_POSTGRES: &[&str] = &[
    "CREATE DATABASE \"green_light_",
    "CREATE TABLE green_light.template",
    "pg_try_advisory_lock(hashtextextended(",
    "INSERT INTO green_light.database",
    "CREATE DATABASE \"gl_b_",
    "COMMENT ON DATABASE \"gl_b_",
    "CREATE TABLE one",
    "CREATE TABLE two",
    "INSERT INTO seeded",
    "SET work_mem TO",
    "ALLOW_CONNECTIONS false IS_TEMPLATE true",
    "pg_terminate_backend",
    "RENAME TO \"gl_t_",
    "DELETE FROM green_light.database",
    "CREATE DATABASE \"gl_d_",
    "COMMENT ON DATABASE \"gl_d_",
    "INSERT INTO green_light.template",
    "UPDATE green_light.database d SET state = 'taken'",
    "UPDATE green_light.database SET state = 'done'",
    "SELECT green_light.rewind()",
    "UPDATE green_light.database SET state = 'free', owner = NULL, test",
    "DROP DATABASE IF EXISTS \"gl_d_",
    "pg_advisory_unlock_all()",
];

/// What is among the messages to MySQL.
const TO_MYSQL: &[&str] = &[
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
];

fn a_process_killed_at_any_of_its_messages_leaves_nothing_that_the_next_one_minds(on: On) {
    match part().as_deref() {
        Some("hold") => return run(hold()),
        Some(_) => return run(one_test(on.backend)),
        None => {}
    }
    // Roles of PostgreSQL do not disturb each other; the server of MySQL is used by one process at a time.
    let (server, steps, workers) = match on.backend {
        Backend::Postgres => (None, TO_POSTGRES, 3),
        _ => (Some(Server::start(on.test)), TO_MYSQL, 1),
    };
    let one_step = |at, when| match &server {
        Some(server) => server.one_step(at, when),
        None => one_step_with_a_role(on.test, at, when),
    };
    let mut killed_at = Vec::new();
    let every = one_of(EVERY);
    for (when, first) in [(When::Before, 0), (When::During, every / 2)] {
        let numbers = Mutex::new((first..MANY).step_by(every));
        let found = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(number) = { numbers.lock().unwrap().next() } {
                        let Some(message) = one_step(At::Number(number), when) else {
                            // It came to its end, and so does whoever is killed later.
                            numbers.lock().unwrap().nth(MANY);
                            break;
                        };
                        found.lock().unwrap().push(message);
                    }
                });
            }
        });
        let found = found.into_inner().unwrap();
        say(&format!("killed {when:?}"), &found.len().to_string());
        killed_at.extend(found);
    }
    for step in steps {
        // A number may have missed it, also where several connections are used.
        if !killed_at.iter().any(|message| message.contains(step)) {
            let killed = one_step(At::Text(step), When::Before).is_some();
            assert!(killed, "nobody sends `{step}`");
        }
    }
    if let Some(server) = server {
        server.end();
    }
}

/// Kills a process at one of its messages, and lets another one do the same work after it.
fn one_step_with_a_role(test: &str, at: At, when: When) -> Option<String> {
    let role = run(Role::new());
    let proxy = Proxy::start(Wire::Postgres, &role.upstream(), at, when);
    let killed_at = proxy.run(role.playing_through(test, "killed", proxy.port()));
    said(role.playing(test, "next").spawn().unwrap());
    let mut left = run(leftovers(&role));
    if !left.is_empty() {
        // The server had not noticed yet that the process was gone.
        run(role.alone());
        said(role.playing(test, "last").spawn().unwrap());
        left = run(leftovers(&role));
    }
    assert!(left.is_empty(), "{at:?}, {when:?}: {killed_at:?}: {left:?}");
    run(role.drop());
    killed_at
}

/// What is neither a whole template nor a database that waits for a test.
pub(crate) async fn leftovers(role: &Role) -> Vec<String> {
    let mut maintenance = PgConnection::connect(&role.maintenance()).await.unwrap();
    let found = sqlx::query_scalar(
        "SELECT datname::text || coalesce(' ' || r.state, '') FROM pg_database d \
         LEFT JOIN green_light.template t ON t.name = datname AND datistemplate AND NOT datallowconn \
         LEFT JOIN green_light.database r ON r.name = datname \
         WHERE datdba = $1::regrole AND datname <> current_database() \
           AND t.name IS NULL AND coalesce(r.state, '') <> 'free' \
         UNION ALL SELECT name || ' entered as ' || state FROM green_light.database WHERE state <> 'free'",
    )
    .bind(&role.name)
    .fetch_all(&mut maintenance)
    .await
    .unwrap();
    maintenance.close().await.unwrap();
    found
}

/// Keeps the server running, until it is killed.
pub(crate) async fn hold() {
    let engine = engine(Backend::MySql).await;
    let session = engine.session(Isolation::Database).await.unwrap();
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
