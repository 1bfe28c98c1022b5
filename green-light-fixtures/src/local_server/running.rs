//! The server that this process works with: the one that a variable names, or one that green-light starts.

use std::{
    process::Command,
    sync::Once,
    thread,
    time::{Duration, Instant},
};

use green_light_core::{Mutex, progress};

use crate::driver::server_facts::{ServerFacts, ServerState};
use crate::env::value;
use crate::error::{Error, Kind};
use crate::files::base::base;
use crate::local_server::command_output::stdout_of;
use crate::local_server::hints::hint;
use crate::local_server::program::ServerProgram;
use crate::local_server::server_dir::ServerDir;
use crate::local_server::start;
use crate::local_server::watchdog::ServerRef;
use crate::server::admission_lock::AdmissionLock;
use crate::url::DatabaseUrl;

/// How much of the log of a server that has ended is shown.
const LOG_LINES: usize = 4;
/// How long a killed server may still take connections after it has closed one.
///
/// The system closes the files of a killed process one after the other, and the listening socket is not the first.
const DYING: Duration = Duration::from_millis(300);

/// The server of one program that this process works with. Each database has one, as a `static` in its folder.
pub(crate) struct RunningServer {
    pub(crate) program: &'static ServerProgram,
    /// The server if green-light has started it, or joined it, for this process.
    started: Mutex<Option<(ServerRef, ServerDir)>>,
    hinted: Once,
}

/// How to reach a server.
#[derive(Clone, Debug)]
pub(crate) struct ServerAddress {
    /// How its administrator connects, to a database that is not one of a test.
    pub(crate) url: DatabaseUrl,
    /// Whether green-light started it.
    pub(crate) is_ours: bool,
}

impl RunningServer {
    pub(crate) const fn new(program: &'static ServerProgram) -> Self {
        Self {
            program,
            started: Mutex::new(None),
            hinted: Once::new(),
        }
    }

    /// The server of the variable, or one started from the installed programs.
    ///
    /// # Errors
    ///
    /// When the variable holds something else, nothing is installed, or the server does not start.
    pub(crate) async fn obtain(&'static self) -> Result<ServerAddress, Error> {
        if let Some(url) = named(self.program, value(self.program.variable))? {
            self.give_hint(&url).await;
            return Ok(ServerAddress {
                url,
                is_ours: false,
            });
        }
        // To start a server takes blocking calls.
        let started = tokio::task::spawn_blocking(|| self.start()).await;
        let url = started.map_err(|error| {
            let fact = format!("the start of {} was cut short", self.program.name);
            Error::new(Kind::Server, fact).because(error)
        })??;
        Ok(ServerAddress { url, is_ours: true })
    }

    /// What is installed and named; starts nothing.
    pub(crate) fn facts(&self) -> ServerFacts {
        let program = (self.program.find)();
        let version = program.as_ref().and_then(|program| {
            let version = stdout_of(Command::new(program).arg("--version"))?;
            version.lines().next().map(|line| line.trim().to_owned())
        });
        ServerFacts {
            name: self.program.name,
            variable: self.program.variable,
            is_named: self.is_named(),
            program,
            program_version: version,
            install: self.program.install,
        }
    }

    /// The server, found or started, and what it says of itself.
    ///
    /// # Errors
    ///
    /// As [`obtain`](Self::obtain).
    pub(crate) async fn state(&'static self) -> Result<ServerState, Error> {
        // The hint is a part of what is returned.
        self.hinted.call_once(|| {});
        let ServerAddress { url, is_ours } = self.obtain().await?;
        let admission = AdmissionLock::acquire(&url).await;
        let settings = (self.program.settings)(&url).await.unwrap_or_default();
        drop(admission);
        let is_version = |name: &str| ["server_version", "version"].contains(&name);
        let version = settings.iter().find(|(name, _)| is_version(name));
        let hint = (!is_ours).then(|| hint(self.program, &settings)).flatten();
        let started = self.started.lock();
        Ok(ServerState {
            url: url.redacted(),
            is_ours,
            version: version.map(|(_, version)| version.clone()),
            hint,
            log: started.as_ref().map(|(_, dir)| dir.file("server.log")),
        })
    }

    fn start(&self) -> Result<DatabaseUrl, Error> {
        let mut started = self.started.lock();
        let (server, _) = match &mut *started {
            Some(started) => started,
            none => none.insert(start::join_or_start(self.program, base()?)?),
        };
        Ok(DatabaseUrl::new((self.program.url)(&server.sockets)))
    }

    /// Reports once what would make the server faster that a variable names.
    async fn give_hint(&self, url: &DatabaseUrl) {
        if self.hinted.is_completed() {
            return;
        }
        let _admission = AdmissionLock::acquire(url).await;
        // If the server cannot be asked, the caller will get the error as well.
        let hint = (self.program.settings)(url)
            .await
            .and_then(|found| hint(self.program, &found));
        self.hinted
            .call_once(|| hint.iter().for_each(|hint| progress(hint)));
    }

    /// Whether a variable names the server.
    pub(crate) fn is_named(&self) -> bool {
        value(self.program.variable).is_some()
    }

    /// The server, as a part of a sentence.
    pub(crate) fn name(&self) -> String {
        if self.is_named() {
            format!("the server of `{}`", self.program.variable)
        } else {
            format!("the {} that green-light started", self.program.name)
        }
    }

    /// If green-light started the server, and it has ended while tests use it: that fact, and what to do.
    pub(crate) fn unexpected_end(&self) -> Option<(String, String)> {
        if self.is_named() {
            return None;
        }
        let started = self.started.lock();
        let (server, dir) = started.as_ref()?;
        if self.program.listens(&server.sockets) {
            return None;
        }
        let log = dir.file("server.log");
        let mut help = format!(
            "run the tests again, which starts it again, and find out what has stopped or killed it; its log is \
             `{}`",
            log.display()
        );
        for line in start::log_tail(self.program, &log, LOG_LINES) {
            help.push_str("\n  | ");
            help.push_str(&line);
        }
        Some((
            format!("{} has ended while tests use it", self.name()),
            help,
        ))
    }

    /// The same in one text, for use after a lost connection: as long as the server still takes connections, this
    /// looks again for [`DYING`].
    pub(crate) fn end_after_lost_connection(&self) -> Option<String> {
        let give_up_at = Instant::now() + DYING;
        loop {
            match self.unexpected_end() {
                Some((fact, help)) => return Some(format!("{fact}\n  help: {help}")),
                None if self.is_named() || Instant::now() >= give_up_at => return None,
                None => thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

/// The URL in the variable of `program`, if it holds one.
fn named(program: &ServerProgram, value: Option<String>) -> Result<Option<DatabaseUrl>, Error> {
    let Some(value) = value else {
        return Ok(None);
    };
    let mut schemes = program.schemes.iter();
    if schemes.any(|scheme| value.starts_with(scheme)) {
        return Ok(Some(DatabaseUrl::new(value)));
    }
    Err(Error::new(
        Kind::Configuration,
        format!("`{}` is not a URL of {}", program.variable, program.name),
    )
    .help(format!(
        "write `{}={}user@localhost/name`, with `:` and the password behind the user, or unset it",
        program.variable, program.schemes[0]
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::local_server::POSTGRES;

    #[test]
    fn a_named_server_is_used_as_it_is() {
        for url in ["postgres://a:b@host/c?sslmode=require", "postgresql://host"] {
            let found = named(&POSTGRES, Some(url.to_owned())).unwrap();
            assert_eq!(found.unwrap().expose(), url);
        }
        assert_eq!(named(&POSTGRES, None).unwrap(), None);
    }

    #[test]
    fn a_url_of_another_server_is_refused_without_showing_it() {
        let error = named(&POSTGRES, Some("mysql://root:hunter2@host/x".to_owned())).unwrap_err();
        assert!(error.is_configuration());
        assert_eq!(
            error.to_string(),
            "`GREEN_LIGHT_POSTGRES_URL` is not a URL of PostgreSQL\n  help: write \
             `GREEN_LIGHT_POSTGRES_URL=postgres://user@localhost/name`, with `:` and the password \
             behind the user, or unset it"
        );
    }
}
