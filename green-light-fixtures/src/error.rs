//! Everything that can go wrong between a test and its database, in words.
//!
//! `Display` holds the fact, its place and a `help:` line; the cause is `source()` and is never
//! repeated. `Debug` prints both, so that an `unwrap` in a test is readable. No text holds a password.

use std::{error::Error as StdError, fmt, panic::Location};

use green_light_core::causes_of;

type Cause = Box<dyn StdError + Send + Sync>;

/// What went wrong with a schema, an engine, a transaction or a session.
///
/// The kind is private; ask the `is_*` methods.
pub struct Error {
    kind: Kind,
    fact: String,
    place: Option<&'static Location<'static>>,
    help: Option<String>,
    source: Option<Cause>,
    /// What else went wrong at the same time.
    also: Vec<String>,
}

/// What sort of thing went wrong: one predicate each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Schema,
    Configuration,
    Directory,
    Server,
    Connection,
    Breach,
    Constraint,
    Held,
}

impl Error {
    pub(crate) fn new(kind: Kind, fact: impl Into<String>) -> Self {
        Self {
            kind,
            fact: fact.into(),
            place: None,
            help: None,
            source: None,
            also: Vec::new(),
        }
    }

    pub(crate) fn at(mut self, place: &'static Location<'static>) -> Self {
        self.place = Some(place);
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Cause>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The first of several errors, with the others after it.
    pub(crate) fn all(errors: Vec<Self>) -> Result<(), Self> {
        let mut errors = errors.into_iter();
        let Some(mut first) = errors.next() else {
            return Ok(());
        };
        for other in errors {
            first.also.push(format!("{other:?}"));
        }
        Err(first)
    }

    /// The schema could not be built: a statement, a migration, an entity or a seed failed.
    #[must_use]
    pub fn is_schema(&self) -> bool {
        self.kind == Kind::Schema
    }

    /// An option, a name or an environment variable says something that does not exist.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        self.kind == Kind::Configuration
    }

    /// The directory for database files cannot be made or written.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// A database server is not installed, or does not start.
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.kind == Kind::Server
    }

    /// No connection to the database could be had.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        self.kind == Kind::Connection
    }

    /// The code under test ended the transaction that isolates the test.
    #[must_use]
    pub fn is_breach(&self) -> bool {
        self.kind == Kind::Breach
    }

    /// A deferred constraint does not hold at the end of the test, so a real commit would have failed.
    #[must_use]
    pub fn is_constraint(&self) -> bool {
        self.kind == Kind::Constraint
    }

    /// The test ended, but something still holds its connection.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.kind == Kind::Held
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fact)?;
        if let Some(place) = self.place {
            write!(f, "\n  in the schema made at {place}")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        for other in &self.also {
            write!(f, "\nand: {other}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        for cause in causes_of(self, &self.to_string()) {
            write!(f, "\n  caused by: {cause}")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_fact_place_and_help_and_leaves_the_cause_to_the_source() {
        let place = Location::caller();
        let error = Error::new(Kind::Schema, "statement 2 failed")
            .at(place)
            .help("write `CREATE TABLE`")
            .because("near \"CRATE\"");
        assert_eq!(
            error.to_string(),
            format!(
                "statement 2 failed\n  in the schema made at {place}\n  help: write `CREATE TABLE`"
            ),
        );
        assert!(format!("{error:?}").ends_with("\n  caused by: near \"CRATE\""));
        assert!(error.is_schema() && !error.is_breach());
    }
}
