//! The ways to keep tests apart, and how one is chosen.
//!
//! A name that is not known is an error naming those that are: never a silent fallback to another way.

use std::{fmt, str::FromStr};

use crate::env::value;
use crate::error::{Error, Kind};

/// How one test is kept apart from the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Isolation {
    /// The test runs inside one transaction that is never committed.
    ///
    /// The application's own `begin`, `commit` and `rollback` become savepoints in it. The test has
    /// one connection: queries of concurrent tasks are correct, but take turns, and a query outside
    /// an open transaction waits for that transaction to end.
    #[default]
    Transaction,
    /// The test has a database of its own, made from the engine's template.
    ///
    /// Everything is as in production: several connections, real commits, other processes. For what
    /// one transaction cannot show: `LISTEN`, isolation levels, locks between connections, code that
    /// opens its own pool from [`Session::url`](crate::Session::url).
    Database,
    /// The tests of a process use one database in turn, always at the same URL. Before each test it gets the
    /// contents of the template.
    ///
    /// As `Database`, but tests that run at the same time wait for each other. For what is connected once and
    /// keeps its URL, such as a server that is started once for all tests.
    Shared,
}

/// The variable that chooses an isolation for a whole run.
const VARIABLE: &str = "GREEN_LIGHT_ISOLATION";

impl Isolation {
    const ALL: [Self; 3] = [Self::Transaction, Self::Database, Self::Shared];

    /// What `GREEN_LIGHT_ISOLATION` asks for, or the default.
    ///
    /// # Errors
    ///
    /// When the variable names an isolation that does not exist.
    pub fn from_env() -> Result<Self, Error> {
        value(VARIABLE).map_or_else(|| Ok(Self::default()), |name| name.parse())
    }

    /// The name used in attributes and in the environment.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Database => "database",
            Self::Shared => "shared",
        }
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isolation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let wanted = name.trim();
        Self::ALL
            .into_iter()
            .find(|known| wanted.eq_ignore_ascii_case(known.name()))
            .ok_or_else(|| {
                let known = Self::ALL.map(|known| format!("`{known}`")).join(", ");
                Error::new(Kind::Configuration, format!("unknown isolation `{wanted}`")).help(
                    format!("write one of {known}, in `{VARIABLE}` or in the test"),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_unknown_ones_are_refused() {
        assert_eq!(
            " Transaction ".parse::<Isolation>().unwrap(),
            Isolation::Transaction
        );
        for isolation in Isolation::ALL {
            assert_eq!(isolation.name().parse::<Isolation>().unwrap(), isolation);
        }
        let error = "trunsaction".parse::<Isolation>().unwrap_err();
        assert!(error.is_configuration());
        assert!(
            error
                .to_string()
                .starts_with("unknown isolation `trunsaction`\n  help: write one")
        );
    }
}
