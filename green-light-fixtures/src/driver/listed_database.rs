//! A database as `cargo green-light databases` shows it.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Kind};
use crate::url::DatabaseUrl;

/// A database that green-light has made.
#[derive(Clone, Debug)]
pub struct ListedDatabase {
    /// Its name on the server, or that of its file.
    pub name: String,
    /// What it is there for.
    pub state: DatabaseState,
    /// The path of the test that has, or had, it; as far as the database remembers.
    pub test: Option<String>,
    /// The number of the process that has, or had, it, if it is one of this machine.
    pub process: Option<u32>,
    /// How long it has been in that state.
    pub age: Option<Duration>,
    /// How many bytes it takes, if its server says so.
    pub size: Option<u64>,
    /// How many sessions are in it.
    pub sessions: u64,
    /// Where it is.
    pub url: DatabaseUrl,
}

/// What a database is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseState {
    /// A person wants to look at it.
    Kept,
    /// Its test or its process has ended: the next run drops it.
    Left,
    /// A test has it.
    InUse,
    /// Made ahead of tests.
    Ready,
    /// The databases of tests are made from it.
    Template,
}

impl DatabaseState {
    /// As it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Left => "left",
            Self::InUse => "in use",
            Self::Ready => "ready",
            Self::Template => "template",
        }
    }
}

impl ListedDatabase {
    /// Whether a person may drop it.
    ///
    /// # Errors
    ///
    /// When somebody uses it, or tests will.
    pub(crate) fn may_be_dropped(&self) -> Result<(), Error> {
        let name = &self.name;
        let (fact, help) = match self.state {
            DatabaseState::Left => return Ok(()),
            DatabaseState::Kept if self.sessions == 0 => return Ok(()),
            DatabaseState::Kept => (
                format!("a session is in `{name}`"),
                "end it, such as a shell that you have opened on it, and try again",
            ),
            DatabaseState::InUse => (
                format!("a test uses `{name}`"),
                "wait for the end of the test: it drops the database then",
            ),
            DatabaseState::Ready | DatabaseState::Template => (
                format!("`{name}` is there for the next tests"),
                "leave it: green-light drops what no run has used for a while; `GREEN_LIGHT_REBUILD=1` builds templates again",
            ),
        };
        Err(Error::new(Kind::Configuration, fact).help(help))
    }

    /// Whether a person may keep it, and it is not kept yet.
    ///
    /// # Errors
    ///
    /// When a test uses it, or tests will.
    pub(crate) fn may_be_kept(&self) -> Result<(), Error> {
        let name = &self.name;
        let (fact, help) = match self.state {
            DatabaseState::Left => return Ok(()),
            DatabaseState::Kept => (
                format!("`{name}` is kept already"),
                "`cargo green-light databases shell` opens it",
            ),
            DatabaseState::InUse => (
                format!("a test uses `{name}`"),
                "run the test with `GREEN_LIGHT_KEEP=1`: that keeps its database if it fails",
            ),
            DatabaseState::Ready | DatabaseState::Template => (
                format!("`{name}` is no database of a test"),
                "name one that is left: `cargo green-light databases list` shows them",
            ),
        };
        Err(Error::new(Kind::Configuration, fact).help(help))
    }
}

/// There is no database of that name.
pub(crate) fn not_there(name: &str) -> Error {
    Error::new(
        Kind::Configuration,
        format!("there is no database `{name}` of green-light"),
    )
    .help("`cargo green-light databases list` shows those that are there")
}

/// A program by which a person looks into a database.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Its names, the best first.
    pub programs: &'static [&'static str],
    /// What opens the database.
    pub arguments: Vec<String>,
    /// The password, in a variable that the program reads.
    pub password: Option<(&'static str, String)>,
    /// Where it may be, besides in `PATH`.
    pub directory: Option<PathBuf>,
    /// How to install it.
    pub install: &'static str,
}
