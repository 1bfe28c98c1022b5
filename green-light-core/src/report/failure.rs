//! What went wrong in one phase of one fixture or test, rendered once so that it can be shared.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::panic::resume_unwind;

use crate::report::explain::thread_context::ThreadContext;
use crate::report::redact::text::redacted;

/// An error or panic, as text, without passwords.
///
/// A panic's payload is not `Clone`, and the failure of a shared fixture is reported by every test
/// that needs it, so a failure is rendered when it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was said.
    pub message: String,
    /// The causes behind it, outermost first.
    pub causes: Vec<String>,
    /// Where a panic happened.
    pub place: Option<String>,
    /// Whether it was a panic.
    pub panicked: bool,
    /// Whether it was a [`skip`](crate::report::skip::skip), which fails nothing.
    pub skipped: bool,
    /// The fixture behind a dynamic request that could not be answered, and who asked; innermost
    /// first.
    pub via: Vec<String>,
    /// What surrounded a panic, if that says more about its message.
    pub(crate) panic_place: Option<Box<ThreadContext>>,
}

impl Failure {
    /// A failure with nothing but a message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: without_passwords(message.into()),
            causes: Vec::new(),
            place: None,
            panicked: false,
            panic_place: None,
            skipped: false,
            via: Vec::new(),
        }
    }

    /// What a `skip` said.
    pub(crate) fn skip(reason: String) -> Self {
        Self {
            skipped: true,
            ..Self::new(reason)
        }
    }

    /// An error and its sources.
    #[must_use]
    pub fn from_error(error: &(dyn Error + 'static)) -> Self {
        if let Some(unanswered) = error.downcast_ref::<RequestError>() {
            return unanswered.failure().clone();
        }
        let mut failure = Self::new(error.to_string());
        failure.causes = causes_of(error, &failure.message);
        failure
    }

    /// The payload of a panic.
    #[must_use]
    pub fn from_panic(payload: &(dyn Any + Send), place: Option<String>) -> Self {
        if let Some(Raised(failure)) = payload.downcast_ref() {
            return failure.clone();
        }
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic whose payload is not text".to_owned());
        Self {
            place,
            panicked: true,
            ..Self::new(message)
        }
    }
}

/// The causes of an error whose text is `said`, outermost first.
///
/// Many errors repeat their source in their own text, and the source of that as well. Each text is given
/// once: a cause that is part of the text before it says nothing new.
#[must_use]
pub fn causes_of(error: &(dyn Error + 'static), said: &str) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = without_passwords(cause.to_string());
        let before = std::iter::once(said).chain(causes.iter().map(String::as_str));
        if !before.into_iter().any(|before| has_said(before, &text)) {
            causes.push(text);
        }
        source = cause.source();
    }
    causes
}

/// Whether `text` is part of `before`, and not of a longer word in it.
fn has_said(before: &str, text: &str) -> bool {
    let text = text.trim();
    let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    let goes_on = |outside: Option<char>, inside: Option<char>| {
        outside.is_some_and(part_of_a_word) && inside.is_some_and(part_of_a_word)
    };
    text.is_empty()
        || before.match_indices(text).any(|(at, _)| {
            let (left, right) = (&before[..at], &before[at + text.len()..]);
            !goes_on(left.chars().next_back(), text.chars().next())
                && !goes_on(right.chars().next(), text.chars().next_back())
        })
}

fn without_passwords(text: String) -> String {
    match redacted(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(shown) => shown,
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The payload of an unwinding that is no panic of the user's: a failure ready made.
struct Raised(Failure);

/// Whether `payload` ends a test or fixture with a failure that is already known.
pub(crate) fn is_raised(payload: &(dyn Any + Send)) -> bool {
    payload.is::<Raised>()
}

/// Ends the running test or fixture with `failure`, without a panic message.
pub(crate) fn raise(failure: Failure) -> ! {
    resume_unwind(Box::new(Raised(failure)))
}

/// Why a dynamic request was not answered.
///
/// A test or fixture that returns it as its error ends as if it had used
/// [`get`](crate::fixture::definition::Request::get).
#[derive(Clone)]
pub struct RequestError {
    failure: Failure,
}

impl RequestError {
    pub(crate) fn new(failure: Failure) -> Self {
        Self { failure }
    }

    pub(crate) fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Whether the fixture was skipped.
    #[must_use]
    pub fn is_skip(&self) -> bool {
        self.failure.skipped
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.failure.message)?;
        for cause in &self.failure.causes {
            write!(f, ": {cause}")?;
        }
        for line in &self.failure.via {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for RequestError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error with this text, and the next one as its source.
    #[derive(Debug)]
    struct Chain(&'static [&'static str], Option<Box<Chain>>);

    impl Chain {
        fn of(texts: &'static [&'static str]) -> Self {
            let rest = (texts.len() > 1).then(|| Box::new(Self::of(&texts[1..])));
            Self(texts, rest)
        }
    }

    impl fmt::Display for Chain {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0[0])
        }
    }

    impl Error for Chain {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn a_cause_is_given_once_wherever_it_was_said() {
        for (texts, causes) in [
            (
                &["placing the order", "Query Error: no table", "no table"][..],
                &["Query Error: no table"][..],
            ),
            (&["a: b: c", "b: c", "c"], &[]),
            (&["no table (in `a`)", "no table"], &[]),
            (&["tables", "table", "tab"], &["table", "tab"]),
            (&["error 12", "1", "12"], &["1"]),
            (
                &["one", "two", "one", "", "three: two"],
                &["two", "three: two"],
            ),
        ] {
            assert_eq!(
                Failure::from_error(&Chain::of(texts)).causes,
                causes,
                "{texts:?}"
            );
        }
    }
}
