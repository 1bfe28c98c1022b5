//! A server that is started again in the middle of a test, after it was stopped or killed.

use std::{fs, os::unix::fs::symlink, path::PathBuf, process::Command};

use green_light_fixtures::{Backend, Isolation};
use tempfile::TempDir;

use crate::{
    checkout::Checkout,
    children::{Partner, say, wait_for_a_line},
    support::{On, engine_on, text},
};

/// The signal that stops a server in good order.
pub(crate) const STOP: fn(On) -> &'static str = |on| match on.backend {
    Backend::Postgres => "-INT",
    _ => "-TERM",
};

/// The signal that lets it do nothing more.
pub(crate) const KILL: fn(On) -> &'static str = |_| "-KILL";

/// Keeps a server running, which another process reaches by its URL.
pub(crate) async fn keeps(on: On) {
    let engine = engine_on(on.backend).await;
    let session = engine.session(Isolation::Database).await.unwrap();
    let (data, process) = match on.backend {
        Backend::Postgres => {
            let process =
                "SELECT (regexp_split_to_array(pg_read_file('postmaster.pid'), E'\\n'))[1]";
            let data = "SELECT current_setting('data_directory')";
            (text(&*session, data).await, text(&*session, process).await)
        }
        _ => {
            let file = text(&*session, "SELECT @@pid_file").await;
            let process = fs::read_to_string(file).unwrap();
            (text(&*session, "SELECT @@datadir").await, process)
        }
    };
    say("data", &data);
    say("process", process.trim());
    say("url", session.url().expose());
    session.finish().await.unwrap();
    wait_for_a_line();
}

/// A server that can be stopped and started again, and whose URL stays the same.
pub(crate) struct Restartable {
    checkout: Checkout,
    on: On,
    links: TempDir,
    keeper: Partner,
    data: PathBuf,
    process: String,
}

impl Restartable {
    pub(crate) fn start(on: On) -> Self {
        let (checkout, links) = (Checkout::new(), tempfile::tempdir_in("/tmp").unwrap());
        let (keeper, data, process) = Self::keeper(on, &checkout, &links);
        Self {
            checkout,
            on,
            links,
            keeper,
            data,
            process,
        }
    }

    fn keeper(on: On, checkout: &Checkout, links: &TempDir) -> (Partner, PathBuf, String) {
        let mut command = checkout.playing(on.test, "keeps");
        command.env_remove("GREEN_LIGHT_POSTGRES_URL");
        command.env_remove("GREEN_LIGHT_MYSQL_URL");
        let mut keeper = Partner::start(&mut command);
        let data = PathBuf::from(keeper.hear("data"));
        let process = keeper.hear("process");
        let url = keeper.hear("url");
        let socket = match on.backend {
            Backend::Postgres => {
                let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
                options.get_socket().unwrap().clone()
            }
            _ => {
                let options: sqlx::mysql::MySqlConnectOptions = url.parse().unwrap();
                options.get_socket().unwrap().parent().unwrap().to_owned()
            }
        };
        let link = links.path().join("s");
        let _ = fs::remove_file(&link);
        symlink(socket, link).unwrap();
        (keeper, data, process)
    }

    pub(crate) fn playing(&self, part: &str) -> Command {
        let mut command = self.checkout.playing(self.on.test, part);
        let link = self.links.path().join("s");
        let link = link.to_str().unwrap();
        match self.on.backend {
            Backend::Postgres => {
                let host = link.replace('/', "%2F");
                let url = format!("postgres://postgres@{host}:5432/postgres");
                command.env("GREEN_LIGHT_POSTGRES_URL", url)
            }
            _ => {
                let url = format!("mysql://root@localhost/mysql?socket={link}/s");
                command.env("GREEN_LIGHT_MYSQL_URL", url)
            }
        };
        command
    }

    fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        assert!(kill.args([name, &self.process]).status().unwrap().success());
    }

    /// Ends the server by the signal, and starts it again.
    pub(crate) fn restart(mut self, signal: fn(On) -> &'static str) -> Self {
        self.signal(signal(self.on));
        self.keeper.tell("go");
        self.keeper.end();
        self.checkout.stopped(&self.data);
        (self.keeper, self.data, self.process) = Self::keeper(self.on, &self.checkout, &self.links);
        self
    }

    pub(crate) fn end(mut self) {
        self.keeper.tell("go");
        self.keeper.end();
        self.checkout.end(&self.data);
    }
}
