//! Servers that others run: what a user needs there, and what is said when it is missing.

use std::{fs, path::PathBuf};

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::{ConnectionTrait, Statement, TransactionTrait};
use sqlx::{Connection, Executor, MySqlConnection, PgConnection};

use crate::{
    checkout::Checkout,
    children::{Partner, part, said, say, wait_for_a_line},
    mysql_server::password_by_socket,
    support::run,
};

/// One test in a database of its own and one in a transaction, or what is said instead.
async fn one_test(backend: Backend) -> String {
    let schema = Schema::sql("CREATE TABLE mine (x INT)");
    let engine = Engine::builder().backend(backend).schema(schema).build();
    let engine = match engine.await {
        Ok(engine) => engine,
        Err(error) => return format!("{error:?}"),
    };
    let (mut settings, mut left) = (Vec::new(), String::new());
    for isolation in [Isolation::Database, Isolation::Transaction] {
        let session = match engine.session(isolation).await {
            Ok(session) => session,
            Err(error) => return format!("{error:?}"),
        };
        let write = session.execute_unprepared("INSERT INTO mine VALUES (1)");
        if let Err(error) = write.await {
            return format!("{error:?}");
        }
        if backend == Backend::Postgres {
            let setting = "SELECT current_setting('client_connection_check_interval')";
            let setting = Statement::from_string(session.get_database_backend(), setting);
            let row = session.query_one_raw(setting).await.unwrap().unwrap();
            settings.push(row.try_get_by_index::<String>(0).unwrap());
        }
        if backend == Backend::Postgres && isolation == Isolation::Transaction {
            left = temporary_tables(&session).await;
        }
        if let Err(error) = session.finish().await {
            return format!("{error:?}");
        }
    }
    format!("it works {} {left}", settings.join(" "))
}

/// What is left of temporary tables when their transaction is committed. A role that is not a superuser can make no
/// event trigger, so it is known what a commit does to them only if the statement was prepared.
async fn temporary_tables(session: &Session) -> String {
    let backend = session.get_database_backend();
    let tx = session.begin().await.unwrap();
    let prepared = "CREATE TEMP TABLE prepared (x int) ON COMMIT DROP";
    let prepared = Statement::from_string(backend, prepared);
    tx.execute_raw(prepared).await.unwrap();
    let as_text = "CREATE TEMP TABLE as_text (x int) ON COMMIT DROP";
    tx.execute_unprepared(as_text).await.unwrap();
    tx.commit().await.unwrap();
    let left = "SELECT string_agg(relname, ' ') FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'";
    let left = Statement::from_string(backend, left);
    let left = session.query_one_raw(left).await.unwrap().unwrap();
    left.try_get_by_index(0).unwrap()
}

/// Opens connections until the server has none left. What it says then.
async fn exhaust<C>(connect: impl AsyncFn() -> Result<C, sqlx::Error>) -> String {
    let mut open = Vec::new();
    loop {
        match connect().await {
            Ok(connection) => open.push(connection),
            Err(error) => {
                assert!(open.len() > 30, "a pool of thirty fits a server of ours");
                return format!("{error}\n{error:?}");
            }
        }
    }
}

/// A server of its own for a test, kept running by a process that does nothing else.
struct Server {
    checkout: Checkout,
    holder: Partner,
    test: &'static str,
    variable: &'static str,
    /// The path of its socket.
    socket: String,
    /// The directory of its cluster.
    data: PathBuf,
}

impl Server {
    fn start(test: &'static str, variable: &'static str) -> Self {
        let checkout = Checkout::new();
        let mut holder = Partner::start(&mut checkout.playing(test, "hold"));
        let socket = holder.hear("socket");
        let data = PathBuf::from(holder.hear("data"));
        Self {
            checkout,
            holder,
            test,
            variable,
            socket,
            data,
        }
    }

    /// What a test says to `url`.
    fn to(&self, url: &str) -> String {
        let mut command = self.checkout.playing(self.test, "test");
        let said = said(command.env(self.variable, url).spawn().unwrap());
        assert!(!said.contains("hunter2"), "{said}");
        let (_, said) = said.split_once("answer=").unwrap();
        said.split_once("=end").unwrap().0.to_owned()
    }

    #[track_caller]
    fn expect(&self, url: &str, texts: &[&str]) {
        let said = self.to(url);
        for text in texts {
            assert!(said.contains(text), "`{text}` is not in: {said}");
        }
    }

    fn end(self) {
        self.holder.kill();
        self.checkout.end(&self.data);
    }
}

/// Keeps the server of `backend` running, or is a test on it. `None` in the process that has to start both.
fn play(backend: Backend) -> Option<()> {
    let part = part()?;
    run(async {
        if part == "test" {
            return say("answer", &format!("{}=end", one_test(backend).await));
        }
        let engine = Engine::builder().backend(backend).build().await.unwrap();
        let session = engine.session(Isolation::Database).await.unwrap();
        let (before, after, data) = match backend {
            Backend::Postgres => ("@", ':', "SELECT current_setting('data_directory')"),
            _ => ("socket=", '&', "SELECT @@datadir"),
        };
        let (_, rest) = session.url().split_once(before).unwrap();
        let socket = rest.split(after).next().unwrap().replace("%2F", "/");
        let data = Statement::from_string(session.get_database_backend(), data);
        let row = session.query_one_raw(data).await.unwrap().unwrap();
        let data: String = row.try_get_by_index(0).unwrap();
        say("socket", &socket);
        say("data", &data);
        wait_for_a_line();
    });
    Some(())
}

#[test]
fn a_plain_role_of_postgres_is_enough_and_what_is_missing_is_said() {
    let test = "rights::a_plain_role_of_postgres_is_enough_and_what_is_missing_is_said";
    if play(Backend::Postgres).is_some() {
        return;
    }
    let server = Server::start(test, "GREEN_LIGHT_POSTGRES_URL");
    let socket = server.socket.clone();
    run(async {
        let url = format!("postgres://postgres@localhost/postgres?host={socket}");
        let mut admin = PgConnection::connect(&url).await.unwrap();
        for sql in [
            "CREATE ROLE guarded",
            "CREATE ROLE plain LOGIN CREATEDB PASSWORD 'hunter2' IN ROLE guarded",
            // A server that does not look whether its clients are still there, as they usually are.
            "ALTER ROLE plain SET client_connection_check_interval = 0",
            "CREATE ROLE \"less Able\" LOGIN PASSWORD 'hunter2' IN ROLE guarded",
            "CREATE ROLE locked_out LOGIN CREATEDB PASSWORD 'hunter2'",
        ] {
            admin.execute(sql).await.unwrap();
        }
        let file: String = sqlx::query_scalar("SHOW hba_file")
            .fetch_one(&mut admin)
            .await
            .unwrap();
        let rules = fs::read_to_string(&file).unwrap();
        let new = "local all +guarded scram-sha-256\nlocal all locked_out reject\n";
        fs::write(&file, format!("{new}{rules}")).unwrap();
        admin.execute("SELECT pg_reload_conf()").await.unwrap();
        admin.close().await.unwrap();
    });
    let url = |who: &str, database: &str| {
        format!("postgres://{who}:hunter2@localhost/{database}?host={socket}")
    };
    server.expect(&url("plain", "postgres"), &["it works 200ms 200ms as_text"]);
    // The words by which a failed test is told what they mean.
    let refused = run(exhaust(async || {
        PgConnection::connect(&url("plain", "postgres")).await
    }));
    let words = "remaining connection slots are reserved";
    assert!(refused.contains(words), "{refused}");
    run(async {
        let mut own = PgConnection::connect(&url("plain", "postgres"))
            .await
            .unwrap();
        let setting = "SELECT current_setting('client_connection_check_interval')";
        let setting: String = sqlx::query_scalar(setting)
            .fetch_one(&mut own)
            .await
            .unwrap();
        assert_eq!(setting, "0", "it is that of sessions of tests only");
    });
    let less = [
        "the role `less Able` of `GREEN_LIGHT_POSTGRES_URL` may not make databases\n",
        "`ALTER ROLE \"less Able\" CREATEDB`",
    ];
    server.expect(&url("less%20Able", "postgres"), &less);
    let wrong = url("plain", "postgres").replace("hunter2", "hunter2hunter2");
    let password = "help: the password in `GREEN_LIGHT_POSTGRES_URL` is not the one of its role";
    server.expect(&wrong, &[password]);
    let refused = ["the server refuses the role of", "pg_hba.conf"];
    server.expect(&url("locked_out", "postgres"), &refused);
    // The first connection to a database that is not there is that of a role with nothing made yet.
    let absent = url("plain", "nowhere").replace("plain", "fresh");
    run(async {
        let url = format!("postgres://postgres@localhost/postgres?host={socket}");
        let mut admin = PgConnection::connect(&url).await.unwrap();
        let fresh = "CREATE ROLE fresh LOGIN CREATEDB PASSWORD 'hunter2' IN ROLE guarded";
        admin.execute(fresh).await.unwrap();
        admin.close().await.unwrap();
    });
    let named = [
        "\"nowhere\" does not exist",
        "help: name a database that exists",
    ];
    server.expect(&absent, &named);
    for (nobody, help) in [
        (
            "127.0.0.1:1",
            "help: no server listens there: look at host and port",
        ),
        (
            "no-such-host.invalid",
            "help: no host has this name: look at the host",
        ),
    ] {
        let url = format!("postgres://plain:hunter2@{nobody}/postgres");
        server.expect(&url, &[help]);
    }
    let help = "help: write `GREEN_LIGHT_POSTGRES_URL=postgres://user@localhost/name`";
    for no_url in [
        "plain:hunter2@localhost",
        "mysql://plain:hunter2@localhost/",
    ] {
        server.expect(no_url, &[help]);
    }
    server.expect("postgres://plain:hunter2@localhost:many/postgres", &[help]);
    server.end();
}

#[test]
fn a_user_of_mysql_needs_one_grant_and_what_is_missing_is_said() {
    let test = "rights::a_user_of_mysql_needs_one_grant_and_what_is_missing_is_said";
    if play(Backend::MySql).is_some() {
        return;
    }
    let server = Server::start(test, "GREEN_LIGHT_MYSQL_URL");
    let socket = server.socket.clone();
    let admin = |sql: String| {
        run(async {
            let url = format!("mysql://root@localhost/mysql?socket={socket}");
            let mut admin = MySqlConnection::connect(&url).await.unwrap();
            admin.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
            admin.close().await.unwrap();
        });
    };
    let password = run(async {
        let url = format!("mysql://root@localhost/mysql?socket={socket}");
        let mut admin = MySqlConnection::connect(&url).await.unwrap();
        password_by_socket(&mut admin, "hunter2").await
    });
    admin(format!(
        "CREATE USER plain@localhost IDENTIFIED BY '{password}'"
    ));
    let url =
        |database: &str| format!("mysql://plain:{password}@localhost{database}?socket={socket}");
    let said = server.to(&url(""));
    let (_, rest) = said.split_once("let an administrator run ``").expect(&said);
    let (statement, _) = rest.split_once("``, or name another user").expect(&said);
    assert!(statement.contains("'plain'@'localhost'"), "{said}");
    admin(statement.to_owned());
    server.expect(&url(""), &["it works"]);
    let refused = run(exhaust(async || MySqlConnection::connect(&url("")).await));
    for words in [
        "1040 (08004): Too many connections",
        "number: 1040, message: \"Too many connections\"",
    ] {
        assert!(refused.contains(words), "{refused}");
    }
    server.expect(&url("/nowhere"), &["help: name a database that exists"]);
    let wrong = match password {
        "" => url("").replace("plain", "stranger"),
        password => url("").replace(password, "hunter2hunter2"),
    };
    server.expect(&wrong, &["help: the server refuses the user of"]);
    for (nobody, help) in [
        (
            "127.0.0.1:1",
            "help: no server listens there: look at host and port",
        ),
        (
            "no-such-host.invalid",
            "help: no host has this name: look at the host",
        ),
    ] {
        let url = format!("mysql://plain:hunter2@{nobody}/");
        server.expect(&url, &[help]);
    }
    let help = "help: write `GREEN_LIGHT_MYSQL_URL=mysql://user@localhost/name`";
    for no_url in [
        "plain:hunter2@localhost",
        "postgres://plain:hunter2@localhost/",
    ] {
        server.expect(no_url, &[help]);
    }
    server.expect("mysql://plain:hunter2@localhost:many/", &[help]);
    server.end();
}
