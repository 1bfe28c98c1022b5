//! How the phases of one test went.

use std::any::Any;
use std::time::Duration;

use crate::fixture::fixture_failure::FixtureFailure;
use crate::fixture::phase::Expired;
use crate::fixture::test_meta::TestMeta;
use crate::fixture::test_options::Xfail;
use crate::messages::text;
use crate::report::failure::{Failure, is_raised};
use crate::report::panics::{failure_of, without_passwords};
use crate::report::print::say;

/// How the body ended.
pub(crate) enum BodyEnd {
    /// It returned, or returned `Ok`.
    Passed,
    /// It returned an error, or was skipped.
    Failed(Failure),
    /// It panicked; the panic has been printed.
    Panicked {
        payload: Box<dyn Any + Send>,
        failure: Failure,
    },
}

impl BodyEnd {
    /// By the end of its future, and of the drop of what that held.
    pub(crate) fn of(
        end: Result<Result<(), Failure>, Box<dyn Any + Send>>,
        dropped: Result<(), Failure>,
    ) -> Self {
        match (end, dropped) {
            (Err(payload), _) if is_raised(&*payload) => Self::Failed(failure_of(&*payload)),
            (Err(payload), _) => {
                let failure = failure_of(&*payload);
                let payload = without_passwords(payload);
                Self::Panicked { payload, failure }
            }
            (Ok(Err(failure)), _) | (Ok(Ok(())), Err(failure)) => Self::Failed(failure),
            (Ok(Ok(())), Ok(())) => Self::Passed,
        }
    }

    /// Prints what went wrong. The panic hook has printed the message of a panic, not what it means.
    pub(crate) fn tell(&self, test: &TestMeta) {
        match self {
            Self::Passed => {}
            Self::Failed(failure) if failure.skipped => {}
            Self::Failed(failure) => say(&text::body_error(test, failure)),
            Self::Panicked { failure, .. } if test.expects(failure) => {}
            Self::Panicked { failure, .. } => {
                if let Some(explanation) = text::body_panic(test, failure) {
                    say(&explanation);
                }
            }
        }
    }

    /// How the body of `test` ended, by the letter that pytest has for it.
    pub(crate) fn letter(&self, test: &TestMeta) -> char {
        match (self, test.options.xfail) {
            (Self::Failed(failure), _) if failure.skipped => 's',
            (Self::Failed(failure) | Self::Panicked { failure, .. }, _)
                if test.expects(failure) =>
            {
                '.'
            }
            (Self::Passed, _) if test.should_panic.is_some() => 'F',
            (Self::Passed, Xfail::No) => '.',
            (Self::Passed, Xfail::Yes) => 'X',
            (Self::Passed, Xfail::Strict) | (_, Xfail::No) => 'F',
            (_, Xfail::Yes | Xfail::Strict) => 'x',
        }
    }
}

/// How long the phases took, if it was measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PhaseDurations {
    pub(crate) setup: Duration,
    pub(crate) call: Duration,
    pub(crate) teardown: Duration,
}

/// The record of one test.
#[derive(Default)]
pub(crate) struct TestRecord {
    /// When it began, if events are written.
    pub(crate) began: Option<Duration>,
    /// Found before anything ran: a mistake in the graph or in the environment.
    pub(crate) refused: Option<Failure>,
    pub(crate) setup: Option<FixtureFailure>,
    /// `None` if the body did not run or did not end.
    pub(crate) body: Option<BodyEnd>,
    /// In the order they happened.
    pub(crate) teardown: Vec<FixtureFailure>,
    /// What went wrong in its tasks, besides what the body has failed with.
    pub(crate) tasks: Vec<Failure>,
    /// What the test's own `on_teardown` steps said.
    pub(crate) own_teardown: Vec<Failure>,
    /// Phases that took too long.
    pub(crate) expired: Vec<Expired>,
    pub(crate) took: PhaseDurations,
    /// What around fixtures said.
    pub(crate) around: Vec<Failure>,
}

impl TestRecord {
    pub(crate) fn setup_failed(&self) -> bool {
        let setup = self.setup.as_ref();
        self.refused.is_some() || setup.is_some_and(|failed| !failed.failure.skipped)
    }
}
