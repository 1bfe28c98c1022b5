//! Why a command could not do its work.

use std::fmt;

use crate::print::{BAD, HELP};

/// What happened and where, and what to do instead.
#[derive(Debug)]
pub(crate) struct Error {
    fact: String,
    help: Option<String>,
}

impl Error {
    pub(crate) fn new(fact: impl Into<String>) -> Self {
        let fact = fact.into();
        Self { fact, help: None }
    }

    /// What to do instead.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// To stderr, as cargo has its errors.
    pub(crate) fn print(&self) {
        anstream::eprintln!("{BAD}error{BAD:#}: {}", self.fact);
        if let Some(help) = &self.help {
            anstream::eprintln!("  {HELP}help{HELP:#}: {help}");
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fact)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}
