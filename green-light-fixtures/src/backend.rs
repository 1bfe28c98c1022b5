//! The databases green-light knows, by name.
//!
//! All names are known whichever features are on, so that a missing feature is told as such.

use std::{fmt, str::FromStr};

use crate::error::{Error, Kind};

/// A database that tests can run on.
///
/// Each needs the feature of its name. The default is SQLite, or the one whose feature is on if that is
/// the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// SQLite, embedded in the test binary: nothing to install.
    Sqlite,
    /// PostgreSQL 11 or later.
    Postgres,
    /// MySQL 8 or MariaDB 10.
    MySql,
}

impl Backend {
    pub(crate) const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MySql];

    /// The name used in attributes, in URLs, in the environment and for the feature.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// Says which feature is missing.
    pub(crate) fn without_feature(self) -> Error {
        Error::new(
            Kind::Configuration,
            format!("backend `{self}` needs feature `{self}` of `green-light`"),
        )
        .help(format!(
            "write `green-light = {{ version = \"..\", features = [\"{self}\"] }}` in `Cargo.toml`"
        ))
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Backend {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let wanted = name.trim();
        Self::ALL
            .into_iter()
            .find(|known| wanted.eq_ignore_ascii_case(known.name()))
            .ok_or_else(|| {
                let known = Self::ALL.map(|known| format!("`{known}`")).join(", ");
                Error::new(Kind::Configuration, format!("unknown backend `{wanted}`"))
                    .help(format!("write one of {known}"))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_unknown_ones_are_refused() {
        for backend in Backend::ALL {
            assert_eq!(
                backend.name().to_uppercase().parse::<Backend>().unwrap(),
                backend
            );
        }
        let error = "oracle".parse::<Backend>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown backend `oracle`\n  help: write one of `sqlite`, `postgres`, `mysql`"
        );
    }
}
