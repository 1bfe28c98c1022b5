//! A server of its own for a test: what other tests do meanwhile does not matter.
//!
//! On PostgreSQL it is a role of its own, for green-light agrees with other processes in a database of the role.

use std::process::Command;

use green_light_fixtures::{Backend, Engine, Schema, Session};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

use crate::{
    children::said,
    mysql_server::MySqlServer,
    proxy::{At, Proxy, When, Wire},
    role::Role,
    support::{On, number, outside, run},
};

/// The same in the words of each server.
pub(crate) struct Texts {
    /// Where green-light lists the databases of tests.
    pub(crate) databases: &'static str,
    /// Its column that says which template a database is a copy of.
    pub(crate) template: &'static str,
    /// Its columns that say who uses a database.
    pub(crate) user: &'static [&'static str],
    /// The state of a database that the sandbox of another process may use next.
    pub(crate) recycled: &'static str,
    /// The databases that there are.
    pub(crate) all_databases: &'static str,
    /// Where green-light lists templates.
    pub(crate) templates: &'static str,
    /// Makes their last use earlier.
    pub(crate) two_hours_earlier: &'static str,
    /// Keeps every process from dropping databases.
    pub(crate) stop_reapers: &'static str,
    /// The database of a connection. Who reads it from the URL of a session keeps its database from others.
    pub(crate) current_database: &'static str,
    /// The tables of a test.
    tables: &'static str,
    sleep: &'static str,
}

const POSTGRES: Texts = Texts {
    databases: "green_light.database",
    template: "template",
    user: &["owner", "test"],
    recycled: "free",
    all_databases: "SELECT datname FROM pg_database",
    templates: "green_light.template",
    two_hours_earlier: "UPDATE green_light.template SET used = used - interval '2 hours'",
    stop_reapers: "SELECT pg_advisory_lock(x'676c0002'::int, 0)",
    current_database: "SELECT current_database()::text",
    tables: "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
    sleep: "SELECT pg_sleep(0.004)",
};

const MYSQL: Texts = Texts {
    databases: "green_light.test_databases",
    template: "digest",
    user: &["run"],
    recycled: "used",
    all_databases: "SELECT schema_name FROM information_schema.schemata",
    templates: "green_light.templates",
    two_hours_earlier: "UPDATE green_light.templates SET used = used - INTERVAL 2 HOUR",
    stop_reapers: "SELECT GET_LOCK('green_light.janitor', 60)",
    current_database: "SELECT database()",
    tables: "SHOW TABLES",
    sleep: "DO sleep(0.004)",
};

impl On {
    pub(crate) fn texts(self) -> &'static Texts {
        match self.backend {
            Backend::Postgres => &POSTGRES,
            _ => &MYSQL,
        }
    }

    pub(crate) async fn engine(self, sql: &str) -> Engine {
        self.engine_of(Schema::sql(sql)).await
    }

    /// An engine that waits as long as those of users.
    pub(crate) async fn engine_of(self, schema: Schema) -> Engine {
        let engine = Engine::builder().backend(self.backend).schema(schema);
        engine.build().await.unwrap()
    }

    /// Ten tables with a row each, made slowly enough to be interrupted anywhere.
    pub(crate) fn slow_schema(self, mark: &str) -> String {
        let sleep = self.texts().sleep;
        let table = |n: usize| {
            format!(
                "CREATE TABLE t{n}_{mark} (x INT); {sleep}; INSERT INTO t{n}_{mark} VALUES (1);"
            )
        };
        (0..10).map(table).collect()
    }

    /// How many tables a test has, with how many rows.
    pub(crate) async fn tables_and_rows(self, session: &Session) -> (usize, i64) {
        let tables = strings(&**session, self.texts().tables).await;
        let mut rows = 0;
        for table in &tables {
            rows += number(&**session, &format!("SELECT count(*) FROM {table}")).await;
        }
        (tables.len(), rows)
    }
}

/// The first column of the rows that `sql` finds.
pub(crate) async fn strings(db: &impl ConnectionTrait, sql: &str) -> Vec<String> {
    let sql = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(sql).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

/// The name of the database of a session.
pub(crate) fn database(session: &Session) -> String {
    let url = session.url().expose();
    let address = url.split('?').next().unwrap();
    address.rsplit('/').next().unwrap().to_owned()
}

pub(crate) struct OwnServer {
    on: On,
    place: Place,
}

enum Place {
    Postgres(Role),
    MySql(MySqlServer),
}

impl OwnServer {
    pub(crate) fn start(on: On) -> Self {
        let place = match on.backend {
            Backend::Postgres => Place::Postgres(run(Role::new())),
            _ => Place::MySql(MySqlServer::start(200)),
        };
        Self { on, place }
    }

    /// One on which no process is but those that play a part.
    pub(crate) fn alone(on: On) -> Self {
        let mut server = Self::start(on);
        if let Place::MySql(server) = &mut server.place {
            server.leave_alone();
        }
        server
    }

    /// One that gives out as many connections.
    pub(crate) fn narrow(on: On, connections: i64) -> Self {
        let place = match on.backend {
            Backend::Postgres => {
                let role = run(Role::new());
                run(role.limit_connections(connections));
                Place::Postgres(role)
            }
            _ => Place::MySql(MySqlServer::start(connections)),
        };
        Self { on, place }
    }

    /// A process that plays `part` in the test.
    pub(crate) fn playing(&self, part: &str) -> Command {
        match &self.place {
            Place::Postgres(role) => role.playing(self.on.test, part),
            Place::MySql(server) => server.playing(self.on.test, part),
        }
    }

    /// The same for a user who may see all that happens on the server.
    pub(crate) fn playing_as_owner(&self, part: &str) -> Command {
        let mut command = self.playing(part);
        if let Place::MySql(server) = &self.place {
            command.env("GREEN_LIGHT_MYSQL_URL", server.server());
        }
        command
    }

    /// A proxy before the server, and a process that plays `part` through it.
    pub(crate) fn through(&self, at: At, when: When, part: &str) -> (Proxy, Command) {
        match &self.place {
            Place::Postgres(role) => {
                let proxy = Proxy::start(Wire::Postgres, &role.upstream(), at, when);
                let command = role.playing_through(self.on.test, part, proxy.port());
                (proxy, command)
            }
            Place::MySql(server) => {
                let proxy = Proxy::start(Wire::MySql, &server.upstream(), at, when);
                let port = proxy.port();
                let url = format!("mysql://root@127.0.0.1:{port}/mysql?ssl-mode=disabled");
                let mut command = self.playing(part);
                command.env("GREEN_LIGHT_MYSQL_URL", url);
                (proxy, command)
            }
        }
    }

    pub(crate) fn on(&self) -> On {
        self.on
    }

    /// One of many processes, which leave it to each other to drop what is there.
    pub(crate) fn playing_among_many(&self, part: &str) -> Command {
        let mut command = self.playing(part);
        command.env("NEXTEST", "1");
        command
    }

    /// What a process says that plays `part`.
    #[track_caller]
    pub(crate) fn said(&self, part: &str) -> String {
        said(self.playing(part).spawn().unwrap())
    }

    /// Who owns the server.
    pub(crate) async fn admin(&self) -> DatabaseConnection {
        match &self.place {
            Place::Postgres(role) => outside(role.server()).await,
            Place::MySql(server) => outside(server.server()).await,
        }
    }

    /// A connection to the database in which processes agree. One of them must have made it.
    pub(crate) async fn registry(&self) -> DatabaseConnection {
        match &self.place {
            Place::Postgres(role) => outside(&role.maintenance()).await,
            Place::MySql(server) => outside(server.server()).await,
        }
    }

    /// The URL of one of its databases, for the user of its processes.
    pub(crate) fn url_of(&self, name: &str) -> String {
        match &self.place {
            Place::Postgres(role) => role.url_of(name),
            Place::MySql(server) => server.url_of(name),
        }
    }

    /// Lets the server give the user of its processes no more connections than that.
    pub(crate) fn limit_connections(&self, most: i64) {
        match &self.place {
            Place::Postgres(role) => run(role.limit_connections(most)),
            Place::MySql(server) => run(server.limit_connections(most)),
        }
    }

    /// What `sql` finds there.
    pub(crate) fn registered(&self, sql: &str) -> Vec<String> {
        run(async {
            let registry = self.registry().await;
            let found = strings(&registry, sql).await;
            registry.close().await.unwrap();
            found
        })
    }

    /// The databases of tests and their templates.
    pub(crate) fn databases(&self) -> Vec<String> {
        match &self.place {
            Place::Postgres(role) => run(role.databases()),
            Place::MySql(server) => run(server.databases()),
        }
    }

    /// The user of its processes.
    pub(crate) fn user(&self) -> &str {
        match &self.place {
            Place::Postgres(role) => &role.name,
            Place::MySql(_) => "tester",
        }
    }

    /// Keeps every process from dropping databases, until this connection is closed.
    pub(crate) fn stop_reapers(&self) -> DatabaseConnection {
        run(async {
            let registry = self.registry().await;
            let stop = self.on.texts().stop_reapers;
            registry.execute_unprepared(stop).await.unwrap();
            registry
        })
    }

    /// Makes databases that green-light has not made.
    pub(crate) fn make_databases(&self, names: &[String]) {
        let owner = match &self.place {
            Place::Postgres(role) => format!(" OWNER {}", role.name),
            Place::MySql(_) => String::new(),
        };
        run(async {
            let admin = self.admin().await;
            for name in names {
                let make = format!("CREATE DATABASE {name}{owner}");
                admin.execute_unprepared(&make).await.unwrap();
            }
            admin.close().await.unwrap();
        });
    }

    pub(crate) fn end(self) {
        match self.place {
            Place::Postgres(role) => run(role.drop()),
            Place::MySql(server) => server.end(),
        }
    }
}
