//! The body of a test: the user's function, with the values it asks for.

use std::any::Any;

use crate::fixture::setup::Setup;
use crate::fixture::test_options::Xfail;
use crate::messages::debug::{Moment, debug};
use crate::report::durations;
use crate::report::durations::Watch;
use crate::report::events;
use crate::report::events::Event;
use crate::report::failure::{Failure, is_raised};
use crate::report::panics::{caught_drop, caught_payload, failure_of, without_passwords};
use crate::tasks;
use crate::test::deadline::Phase;
use crate::test::outcome::BodyEnd;
use crate::test::phases::TestRun;

impl TestRun {
    /// Runs the user's function.
    pub(crate) async fn body(&self) {
        self.clock.enter(Phase::Body);
        self.pause_clock(true);
        self.called.set(true);
        debug(Moment::Body(self.meta));
        let values = self.values(&self.plan.requests);
        if events::enabled() {
            let ready = self.ready.borrow();
            let got = self
                .meta
                .requests
                .iter()
                .zip(&self.plan.requests)
                .filter_map(|(dependency, index)| {
                    Some((
                        (dependency.target)().name,
                        ready[*index].as_ref()?.label.to_string(),
                    ))
                });
            Event::new("CALL")
                .text("test", self.meta.full_name())
                .map("got", got)
                .write();
        }
        let setup = Setup::new(values, self.request.clone());
        // Called inside the future: cloning a value for a parameter may panic.
        let mut body = Box::pin(async { (self.meta.body)(&setup).await });
        let watch = Watch::start();
        let end = caught_payload(tasks::owning(self.owner, &mut body)).await;
        durations::body(self.meta.full_name(), watch.took());
        // What the body borrowed goes before its fixtures do.
        let dropped = caught_drop(body);
        drop(setup);
        let end = end_of(end, dropped);
        self.note_overrun();
        let end = self.end_tasks(end).await;
        self.end_body(end);
    }

    /// Reports and keeps how the body ended.
    fn end_body(&self, end: BodyEnd) {
        end.tell(self.meta);
        let letter = match self.meta.options.xfail {
            _ if !self.record.borrow().body_expired() => end.letter(self.meta),
            Xfail::No => 'F',
            Xfail::Yes | Xfail::Strict => 'x',
        };
        self.show.call(self.meta, &self.plan, Some(letter));
        self.record.borrow_mut().body = Some(end);
    }

    /// Ends the tasks of the body. What goes wrong in them counts as if it had in the body itself.
    async fn end_tasks(&self, end: BodyEnd) -> BodyEnd {
        let mut failures = tasks::end(self.owner).await.into_iter();
        let end = match end {
            BodyEnd::Passed => failures.next().map_or(BodyEnd::Passed, BodyEnd::Failed),
            BodyEnd::Failed(_) | BodyEnd::Panicked { .. } => end,
        };
        self.record.borrow_mut().tasks.extend(failures);
        end
    }
}

/// How a body ended, by the end of its future and of the drop of what that held.
fn end_of(
    end: Result<Result<(), Failure>, Box<dyn Any + Send>>,
    dropped: Result<(), Failure>,
) -> BodyEnd {
    match (end, dropped) {
        (Err(payload), _) if is_raised(&*payload) => BodyEnd::Failed(failure_of(&*payload)),
        (Err(payload), _) => {
            let failure = failure_of(&*payload);
            let payload = without_passwords(payload);
            BodyEnd::Panicked { payload, failure }
        }
        (Ok(Err(failure)), _) | (Ok(Ok(())), Err(failure)) => BodyEnd::Failed(failure),
        (Ok(Ok(())), Ok(())) => BodyEnd::Passed,
    }
}
