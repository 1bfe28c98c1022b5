//! What a person does with a server that green-light runs: look at it, start it for some time, stop it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::driver::local_server_state::LocalServerState;
use crate::error::{Error, Kind};
use crate::files::base::base;
use crate::local_server::guarded_file;
use crate::local_server::run_as::RunAs;
use crate::local_server::running::RunningServer;
use crate::local_server::server_dir::ServerDir;
use crate::local_server::start;
use crate::local_server::watchdog::{self, ServerRef};
use crate::url::DatabaseUrl;

/// Until when the supervisor lets the server run without users, in seconds since 1970.
const HELD: &str = "held";
/// How long a server may take to stop.
const LIMIT: Duration = Duration::from_secs(30);
/// How often to look whether it has.
const PAUSE: Duration = Duration::from_millis(20);

impl RunningServer {
    /// The server that green-light runs, as it is now. Starts nothing.
    pub(crate) fn local_state(&self) -> Result<Option<LocalServerState>, Error> {
        let Some((program, dir)) = self.directory()? else {
            return Ok(None);
        };
        let running = ServerRef::join(&dir);
        let running = running.filter(|server| self.program.listens(&server.sockets));
        let url = running.as_ref().map(|server| {
            let url = (self.program.url)(&server.sockets);
            DatabaseUrl::new(url).redacted()
        });
        let number = |file: &str| {
            guarded_file::read(&dir.file(file))
                .trim()
                .parse::<u64>()
                .ok()
        };
        let held = number(HELD).map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        Ok(Some(LocalServerState {
            was_started: dir.data().exists(),
            process: running
                .as_ref()
                .and_then(|_| number("server.pid")?.try_into().ok()),
            held_until: held.filter(|until| url.is_some() && *until > SystemTime::now()),
            url,
            log: dir.file("server.log"),
            directory: dir.path().to_owned(),
            program,
        }))
    }

    /// Starts the server, or joins it, and lets it run for `time` whether or not tests use it.
    pub(crate) async fn hold(&'static self, time: Duration) -> Result<(), Error> {
        let held = tokio::task::spawn_blocking(move || {
            let (server, dir) = start::join_or_start(self.program, base()?)?;
            let until = SystemTime::now() + time;
            let until = until.duration_since(UNIX_EPOCH).unwrap_or_default();
            dir.write(HELD, &until.as_secs().to_string())?;
            drop(server);
            Ok(())
        });
        held.await.map_err(|error| self.cut_short("start", error))?
    }

    /// Stops the server, although it may have users. Whether it ran.
    pub(crate) async fn stop(&'static self) -> Result<bool, Error> {
        let stopped = tokio::task::spawn_blocking(|| self.stop_now());
        stopped
            .await
            .map_err(|error| self.cut_short("stop", error))?
    }

    fn stop_now(&self) -> Result<bool, Error> {
        let Some((_, dir)) = self.directory()? else {
            return Ok(false);
        };
        let _ = fs::remove_file(dir.file(HELD));
        if dir.try_lock("alive")?.is_some() {
            return Ok(false);
        }
        match ServerRef::join(&dir) {
            Some(server) => server.stop_server(),
            // It is about to end, or its supervisor was killed.
            None if watchdog::is_kept(&dir) => {}
            None => watchdog::kill_orphan(&dir),
        }
        let begun = Instant::now();
        while dir.try_lock("alive")?.is_none() {
            if begun.elapsed() > LIMIT {
                let fact = format!(
                    "{} in `{}` has not stopped for {} s",
                    self.program.name,
                    dir.path().display(),
                    LIMIT.as_secs()
                );
                let help = format!("look into its log, `{}`", dir.file("server.log").display());
                return Err(Error::new(Kind::Server, fact).help(help));
            }
            thread::sleep(PAUSE);
        }
        Ok(true)
    }

    /// The installed program, and the directory of its server; `None` if a variable names another server.
    fn directory(&self) -> Result<Option<(std::path::PathBuf, ServerDir)>, Error> {
        if self.is_named() {
            return Ok(None);
        }
        let Some(program) = (self.program.find)() else {
            return Ok(None);
        };
        let user = RunAs::for_server(self.program.users)?;
        let dir = ServerDir::open(base()?, self.program.slug, &program, user)?;
        Ok(Some((program, dir)))
    }

    fn cut_short(&self, what: &str, error: tokio::task::JoinError) -> Error {
        let fact = format!("the {what} of {} was cut short", self.program.name);
        Error::new(Kind::Server, fact).because(error)
    }
}
