//! Turns whatever a user's function returned as its error into a [`Failure`].
//!
//! `E: Debug` is all that is asked for, but an `Error` has more to say. The macros choose by
//! method resolution: `(&&&rendered).failure()` takes the first of the traits below that fits.

use std::error::Error;
use std::fmt::Debug;

use crate::report::failure::Failure;

/// The error of a user's function, and how to print it.
pub struct Rendered<E> {
    error: E,
    // Taken where `E: Debug` is asked for, so that a type without it is refused there, once, and
    // not a second time where the failure is made.
    debug: fn(&E) -> String,
}

impl<E: Debug> Rendered<E> {
    pub(crate) fn new(error: E) -> Self {
        Self {
            error,
            debug: |error| format!("{error:?}"),
        }
    }
}

impl<E> Debug for Rendered<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&(self.debug)(&self.error))
    }
}

/// For errors that are an `Error`: their text and their sources.
pub trait RenderError {
    /// The failure.
    fn failure(&self) -> Failure;
}

impl<E: Error + 'static> RenderError for &&Rendered<E> {
    fn failure(&self) -> Failure {
        Failure::from_error(&self.error)
    }
}

/// For `Box<dyn Error>`, which is not an `Error` itself.
pub trait RenderBoxed {
    /// The failure.
    fn failure(&self) -> Failure;
}

impl RenderBoxed for &Rendered<Box<dyn Error>> {
    fn failure(&self) -> Failure {
        Failure::from_error(&*self.error)
    }
}

impl RenderBoxed for &Rendered<Box<dyn Error + Send + Sync>> {
    fn failure(&self) -> Failure {
        Failure::from_error(&*self.error)
    }
}

/// For everything else, such as `anyhow::Error`, whose `Debug` prints the chain.
pub trait RenderDebug {
    /// The failure.
    fn failure(&self) -> Failure;
}

impl<E> RenderDebug for Rendered<E> {
    fn failure(&self) -> Failure {
        let text = (self.debug)(&self.error);
        // A string's `Debug` is quoted like a JSON text; what it says is not.
        Failure::new(serde_json::from_str::<String>(&text).unwrap_or(text))
    }
}

/// What a teardown step may return.
#[diagnostic::on_unimplemented(
    message = "a teardown step cannot return `{Self}`",
    note = "return nothing, or `Result<(), E>` with `E: Debug`"
)]
pub trait TeardownResult {
    /// Success, or what went wrong.
    ///
    /// # Errors
    ///
    /// The step's own error, rendered.
    fn into_result(self) -> Result<(), Failure>;
}

impl TeardownResult for () {
    fn into_result(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<T, E: Debug> TeardownResult for Result<T, E> {
    fn into_result(self) -> Result<(), Failure> {
        match self {
            Ok(_) => Ok(()),
            Err(error) => Err(Rendered::new(error).failure()),
        }
    }
}
