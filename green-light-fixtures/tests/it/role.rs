//! A role of its own on the PostgreSQL server, and so a maintenance database of its own: what other
//! tests do meanwhile does not matter.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation};
use sqlx::{
    AssertSqlSafe, Connection, Executor, FromRow, PgConnection,
    postgres::{PgConnectOptions, PgRow},
};

use crate::{
    children::{LONG, playing},
    proxy::Upstream,
};

/// A role that may make databases, and whatever it has made.
pub(crate) struct Role {
    pub(crate) name: String,
    server: String,
    url: String,
}

impl Role {
    pub(crate) async fn new() -> Self {
        let engine = Engine::builder()
            .backend(Backend::Postgres)
            .build()
            .await
            .unwrap();
        let session = engine.session(Isolation::Database).await.unwrap();
        let server = session.url().expose().to_owned();
        // The database that is always there.
        let (start, query) = server.split_once('?').unwrap_or((&server, ""));
        let start = start.rsplit_once('/').unwrap().0;
        let server = format!("{start}/postgres?{query}");
        session.finish().await.unwrap();
        let mut admin = PgConnection::connect(&server).await.unwrap();
        let random: String = sqlx::query_scalar("SELECT substr(md5(random()::text), 1, 12)")
            .fetch_one(&mut admin)
            .await
            .unwrap();
        let name = format!("gl_test_{random}");
        let make = format!("CREATE ROLE {name} LOGIN CREATEDB PASSWORD 'secret'");
        admin.execute(AssertSqlSafe(make)).await.unwrap();
        let (scheme, rest) = server.split_once("://").unwrap();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let url = format!("{scheme}://{name}:secret@{host}");
        admin.close().await.unwrap();
        Self { name, server, url }
    }

    /// The URL of the database `name` for whoever owns the server.
    pub(crate) fn server_of(&self, name: &str) -> String {
        let (start, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let start = start.rsplit_once('/').unwrap().0;
        format!("{start}/{name}?{query}")
    }

    /// The URL of the database `name` for this role.
    pub(crate) fn url_of(&self, name: &str) -> String {
        self.url.replacen("/postgres?", &format!("/{name}?"), 1)
    }

    /// The URL of the owner of the server.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Lets the server refuse the role more connections than that.
    pub(crate) async fn limit_connections(&self, most: i64) {
        let mut admin = self.admin().await;
        let limit = format!("ALTER ROLE {} CONNECTION LIMIT {most}", self.name);
        admin.execute(AssertSqlSafe(limit)).await.unwrap();
        admin.close().await.unwrap();
    }

    pub(crate) async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.server).await.unwrap()
    }

    /// A process that plays `part` in `test` with this role.
    pub(crate) fn playing(&self, test: &str, part: &str) -> Command {
        let mut command = playing(test, part);
        command.env("GREEN_LIGHT_POSTGRES_URL", &self.url);
        command
    }

    /// The same by the URL of the database `name`.
    pub(crate) fn playing_in(&self, name: &str, test: &str, part: &str) -> Command {
        let mut command = playing(test, part);
        let url = self.url.replacen("/postgres?", &format!("/{name}?"), 1);
        assert_ne!(url, self.url);
        command.env("GREEN_LIGHT_POSTGRES_URL", url);
        command
    }

    /// The same by way of a proxy on this machine.
    pub(crate) fn playing_through(&self, test: &str, part: &str, port: u16) -> Command {
        let mut command = playing(test, part);
        let name = &self.name;
        command.env(
            "GREEN_LIGHT_POSTGRES_URL",
            format!("postgres://{name}:secret@127.0.0.1:{port}/postgres?sslmode=disable"),
        );
        command
    }

    /// Where a proxy finds the server.
    pub(crate) fn upstream(&self) -> Upstream {
        let options: PgConnectOptions = self.server.parse().unwrap();
        match options.get_socket() {
            Some(directory) => {
                Upstream::Socket(directory.join(format!(".s.PGSQL.{}", options.get_port())))
            }
            None => Upstream::Tcp(options.get_host().to_owned(), options.get_port()),
        }
    }

    /// The URL of the database in which its processes agree.
    pub(crate) fn maintenance(&self) -> String {
        let database = format!("/green_light_{}?", self.name);
        self.url.replacen("/postgres?", &database, 1)
    }

    /// The rows that `sql` finds in that database.
    pub(crate) async fn registry<T>(&self, sql: &str) -> Vec<T>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut maintenance = PgConnection::connect(&self.maintenance()).await.unwrap();
        let rows = sqlx::query_as(AssertSqlSafe(sql.to_owned()))
            .fetch_all(&mut maintenance)
            .await
            .unwrap();
        maintenance.close().await.unwrap();
        rows
    }

    /// Waits until nobody is connected as this role.
    pub(crate) async fn alone(&self) {
        let mut admin = self.admin().await;
        let begun = Instant::now();
        let others = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1";
        loop {
            let count: i64 = sqlx::query_scalar(others)
                .bind(&self.name)
                .fetch_one(&mut admin)
                .await
                .unwrap();
            if count == 0 {
                break;
            }
            assert!(begun.elapsed() < LONG, "somebody stays connected");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        admin.close().await.unwrap();
    }

    /// The databases of the role, but for the maintenance one.
    pub(crate) async fn databases(&self) -> Vec<String> {
        let mut admin = self.admin().await;
        let names = sqlx::query_scalar(
            "SELECT datname::text FROM pg_database WHERE datdba = $1::regrole \
             AND datname <> 'green_light_' || $1 ORDER BY 1",
        )
        .bind(&self.name)
        .fetch_all(&mut admin)
        .await
        .unwrap();
        admin.close().await.unwrap();
        names
    }

    pub(crate) async fn drop(self) {
        let mut names = self.databases().await;
        names.push(format!("green_light_{}", self.name));
        let mut admin = self.admin().await;
        for name in names {
            let drop = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
            // One that was half dropped cannot be altered, which would end the connection.
            if admin.execute(AssertSqlSafe(drop.clone())).await.is_err() {
                let untie = format!("ALTER DATABASE \"{name}\" IS_TEMPLATE false");
                admin.execute(AssertSqlSafe(untie)).await.unwrap();
                admin.execute(AssertSqlSafe(drop)).await.unwrap();
            }
        }
        let drop = format!("DROP ROLE {}", self.name);
        admin.execute(AssertSqlSafe(drop)).await.unwrap();
        admin.close().await.unwrap();
    }
}
