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

    /// The system gives no runtime.
    pub(crate) fn no_runtime(error: &std::io::Error) -> Self {
        Self::new(format!("tokio cannot be started: {error}"))
            .help("the system gives no more threads or files: raise its limits")
    }

    /// To stderr, as cargo has its errors.
    pub(crate) fn print(&self) {
        anstream::eprintln!("{BAD}error{BAD:#}: {}", self.fact);
        if let Some(help) = &self.help {
            anstream::eprintln!("  {HELP}help{HELP:#}: {help}");
        }
    }
}

/// In the words of green-light, with the causes.
impl From<green_light_fixtures::Error> for Error {
    fn from(error: green_light_fixtures::Error) -> Self {
        let text = error.to_string();
        let (fact, help) = match text.split_once("\n  help: ") {
            Some((fact, help)) => (fact, Some(help.to_owned())),
            None => (&*text, None),
        };
        let mut fact = fact.to_owned();
        let mut cause = std::error::Error::source(&error);
        while let Some(because) = cause {
            fact.push_str(&format!(
                "\n  caused by: {}",
                green_light_core::redacted(&because.to_string())
            ));
            cause = because.source();
        }
        Self { fact, help }
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
