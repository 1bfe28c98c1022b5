//! A process behind a proxy, on a server on which nobody has been before it, and what it leaves there.

use std::{process::Command, time::Instant};

use green_light_fixtures::Backend;
use sea_orm::ConnectionTrait;

use crate::{
    children::{LONG, said},
    own_server::{OwnServer, strings},
    proxy::{At, Proxy, When},
    support::{On, run},
};

/// A server before which proxies stand.
pub(crate) struct Proxied {
    on: On,
    /// A server of MySQL serves one process after the other. On PostgreSQL each has a role.
    server: Option<OwnServer>,
}

impl Proxied {
    pub(crate) fn start(on: On) -> Self {
        let server = (on.backend == Backend::MySql).then(|| OwnServer::start(on));
        Self { on, server }
    }

    /// How many processes can be behind proxies at once.
    pub(crate) fn most(&self) -> usize {
        if self.server.is_some() { 1 } else { 3 }
    }

    /// Gives `play` a process that plays `part` through a proxy. Returns what `play` does.
    pub(crate) fn once<T>(
        &self,
        (at, when): (At, When),
        part: &str,
        play: impl FnOnce(&Proxy, Command) -> T,
    ) -> T {
        self.on_server(|server| {
            let (proxy, command) = server.through(at, when, part);
            let played = play(&proxy, command);
            if self.server.is_none() {
                server.wait_until_alone(&[]);
            }
            played
        })
    }

    /// The same, and lets other processes do the same work after it: then nothing is left of it.
    pub(crate) fn leaving_nothing(
        &self,
        (at, when): (At, When),
        part: &str,
        play: impl FnOnce(&Proxy, Command) -> Option<String>,
    ) -> Option<String> {
        self.on_server(|server| {
            let (proxy, command) = server.through(at, when, part);
            let before = server.connected();
            let message = play(&proxy, command);
            let next = |part| said(server.playing_as_owner(part).spawn().unwrap());
            next("next");
            let mut left = server.leftovers();
            if !left.is_empty() {
                // The server had not noticed yet that the process was gone, or the next one had too much to do to
                // come to its own end.
                server.wait_until_alone(&before);
                next("last");
                left = server.leftovers();
            }
            assert!(left.is_empty(), "{at:?}, {when:?}: {message:?}: {left:?}");
            message
        })
    }

    fn on_server<T>(&self, play: impl FnOnce(&OwnServer) -> T) -> T {
        if let Some(server) = &self.server {
            server.forget();
            return play(server);
        }
        let server = OwnServer::start(self.on);
        let played = play(&server);
        server.end();
        played
    }

    pub(crate) fn end(self) {
        if let Some(server) = self.server {
            server.end();
        }
    }
}

impl OwnServer {
    /// Who is connected to the server.
    fn connected(&self) -> Vec<String> {
        let sql = match self.on().backend {
            Backend::Postgres => format!(
                "SELECT pid::text FROM pg_stat_activity WHERE usename = '{}'",
                self.user()
            ),
            _ => "SELECT CAST(id AS CHAR) FROM information_schema.processlist \
                  WHERE id <> connection_id()"
                .to_owned(),
        };
        run(async {
            let admin = self.admin().await;
            let connected = strings(&admin, &sql).await;
            admin.close().await.unwrap();
            connected
        })
    }

    /// Waits until only those `before` are connected.
    fn wait_until_alone(&self, before: &[String]) {
        let begun = Instant::now();
        while self.connected().iter().any(|id| !before.contains(id)) {
            assert!(begun.elapsed() < LONG, "somebody stays connected");
        }
    }

    /// What is neither a whole template nor a database that waits for a test.
    fn leftovers(&self) -> Vec<String> {
        self.registered(match self.on().backend {
            Backend::Postgres => {
                "SELECT datname::text || coalesce(' ' || r.state, '') FROM pg_database d \
                 LEFT JOIN green_light.template t ON t.name = datname AND datistemplate AND NOT datallowconn \
                 LEFT JOIN green_light.database r ON r.name = datname \
                 WHERE datdba = current_user::regrole AND datname <> current_database() \
                   AND t.name IS NULL AND coalesce(r.state, '') <> 'free' \
                 UNION ALL SELECT name || ' entered as ' || state FROM green_light.database \
                 WHERE state <> 'free'"
            }
            _ => {
                "SELECT CONVERT(schema_name USING utf8mb4) FROM information_schema.schemata \
                 WHERE schema_name LIKE 'gl\\_%' \
                   AND schema_name NOT IN (SELECT name FROM green_light.templates) \
                   AND schema_name NOT IN (SELECT name FROM green_light.test_databases) \
                 UNION ALL SELECT concat(name, ' entered as ', state) FROM green_light.test_databases \
                 WHERE state NOT IN ('free', 'used')"
            }
        })
    }

    /// Makes a server of MySQL as it was when nobody had used it.
    fn forget(&self) {
        run(async {
            let admin = self.admin().await;
            let ours = "SELECT CONVERT(schema_name USING utf8mb4) FROM information_schema.schemata \
                        WHERE schema_name = 'green_light' OR schema_name LIKE 'gl\\_%'";
            for name in strings(&admin, ours).await {
                let drop = format!("DROP DATABASE `{name}`");
                admin.execute_unprepared(&drop).await.unwrap();
            }
            admin.close().await.unwrap();
        });
    }
}
