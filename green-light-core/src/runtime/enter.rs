//! Refuses a runtime inside a runtime, with help, before tokio panics without.

use std::error::Error;
use std::fmt;
use std::io;

use tokio::runtime::Handle;

/// Why the shared runtime cannot be used.
#[derive(Debug)]
pub struct RuntimeError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Inside,
    NotBuilt(io::Error),
}

impl RuntimeError {
    pub(crate) fn not_built(source: io::Error) -> Self {
        Self {
            kind: Kind::NotBuilt(source),
        }
    }

    /// Whether the thread was in a runtime already.
    #[must_use]
    pub fn is_inside_a_runtime(&self) -> bool {
        matches!(self.kind, Kind::Inside)
    }
}

impl fmt::Display for RuntimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Inside => f.write_str(
                "this thread is in a tokio runtime already, and a runtime cannot be started inside another\n  \
                 help: `#[green_light::test]` brings its own runtime: remove `#[tokio::test]`, \
                 `#[tokio::main]` or `block_on` around it",
            ),
            Kind::NotBuilt(_) => f.write_str(
                "the shared tokio runtime could not be built\n  \
                 help: look at the limits on threads and open files (`ulimit -u`, `ulimit -n`)",
            ),
        }
    }
}

impl Error for RuntimeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Inside => None,
            Kind::NotBuilt(source) => Some(source),
        }
    }
}

/// `Err` when this thread is in a runtime.
pub(crate) fn refuse_inside_a_runtime() -> Result<(), RuntimeError> {
    match Handle::try_current() {
        Ok(_) => Err(RuntimeError { kind: Kind::Inside }),
        Err(_) => Ok(()),
    }
}
