//! Answers the dynamic requests of a running test and of its own fixtures.
//!
//! A request is planned when it is made, from the view of the test and the path to whoever asks, so
//! that an override asking for its own name gets what it overrides. Its steps are then set up as
//! those of the plan are, except for what is ready already. Requests may overlap, in a `join!`: one
//! that needs what another is setting up waits for it, unless that would be for ever.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;

use tokio::sync::Notify;

use crate::config::Config;
use crate::fixture::definition::Definition;
use crate::fixture::dynamic::{Answer, AnswerFuture, Ask, Resolver};
use crate::fixture::plan::{Frame, Plan, Step};
use crate::fixture::plan_error::PlanError;
use crate::fixture::test_options::Xfail;
use crate::report::failure::Failure;
use crate::test::outcome::BodyEnd;
use crate::test::phases::TestRun;

/// A fixture that could not be set up, and the test that reported it in full.
pub(crate) type Failed = (Failure, Option<String>);

/// A fixture that is in no plan.
struct Extra {
    definition: &'static Definition,
    path: Vec<Frame>,
    /// Whether its value is for one requester alone.
    is_own: bool,
}

/// What a test keeps for its dynamic requests.
#[derive(Default)]
pub(crate) struct Dynamic {
    /// Fixtures that are not in the plan; their places follow those of the plan.
    extras: RefCell<Vec<Extra>>,
    /// What was requested besides, with all that it needs, whether it has been set up or not.
    requested: RefCell<Vec<&'static Definition>>,
    /// Set-ups of this test that have failed, by place.
    failed: RefCell<Vec<(usize, Failed)>>,
    /// Places whose set-up is going on.
    busy: RefCell<Vec<usize>>,
    /// Told when one of those ends.
    settled: Notify,
    /// The place whose set-up is being polled.
    current: Cell<Option<usize>>,
    /// Which set-up waits for which other, by place.
    waits: RefCell<Vec<(usize, usize)>>,
    /// Nothing new is set up from now on.
    pub(crate) ending: Cell<bool>,
}

impl Dynamic {
    /// Runs the set-up at `place`, which may make requests.
    pub(crate) async fn setting_up<F: Future>(&self, place: usize, set_up: F) -> F::Output {
        struct Busy<'a>(&'a Dynamic, usize);
        impl Drop for Busy<'_> {
            fn drop(&mut self) {
                self.0.busy.borrow_mut().retain(|place| *place != self.1);
                self.0.settled.notify_waiters();
            }
        }
        struct Current<'a>(&'a Dynamic, Option<usize>);
        impl Drop for Current<'_> {
            fn drop(&mut self) {
                self.0.current.set(self.1);
            }
        }
        self.busy.borrow_mut().push(place);
        let _busy = Busy(self, place);
        let mut set_up = pin!(set_up);
        poll_fn(|cx| {
            let _restored = Current(self, self.current.replace(Some(place)));
            set_up.as_mut().poll(cx)
        })
        .await
    }

    pub(crate) fn keep_failure(&self, place: usize, failed: &Failed) {
        self.failed.borrow_mut().push((place, failed.clone()));
    }

    pub(crate) fn failure(&self, place: usize) -> Option<Failed> {
        let failed = self.failed.borrow();
        let kept = failed.iter().find(|(at, _)| *at == place)?;
        Some(kept.1.clone())
    }

    /// Waits while the set-up at `place` is going on elsewhere.
    ///
    /// # Errors
    ///
    /// The places on the way from there to the set-up that asks, if that waits for this request.
    async fn wait_for(&self, place: usize) -> Result<(), Vec<usize>> {
        loop {
            let settled = self.settled.notified();
            if !self.busy.borrow().contains(&place) {
                return Ok(());
            }
            let asker = self.current.get();
            if let Some(asker) = asker
                && let Some(way) = self.way(place, asker)
            {
                return Err(way);
            }
            let _waits = asker.map(|asker| self.waiting(asker, place));
            settled.await;
        }
    }

    fn waiting(&self, asker: usize, place: usize) -> impl Drop {
        struct Waits<'a>(&'a Dynamic, (usize, usize));
        impl Drop for Waits<'_> {
            fn drop(&mut self) {
                let mut waits = self.0.waits.borrow_mut();
                if let Some(at) = waits.iter().position(|edge| *edge == self.1) {
                    waits.swap_remove(at);
                }
            }
        }
        self.waits.borrow_mut().push((asker, place));
        Waits(self, (asker, place))
    }

    /// The chain of set-ups by which `from` waits for `to`.
    fn way(&self, from: usize, to: usize) -> Option<Vec<usize>> {
        let waits = self.waits.borrow();
        let mut ways = vec![vec![from]];
        while let Some(way) = ways.pop() {
            let last = way.last().copied()?;
            if last == to {
                return Some(way);
            }
            for (_, next) in waits.iter().filter(|(waiting, _)| *waiting == last) {
                if !way.contains(next) {
                    ways.push([way.as_slice(), &[*next]].concat());
                }
            }
        }
        None
    }
}

impl TestRun {
    pub(crate) fn is_ready(&self, place: usize) -> bool {
        matches!(self.ready.borrow().get(place), Some(Some(_)))
    }

    /// A place for a fixture that is not in the plan.
    fn add_place(&self) -> usize {
        let mut ready = self.ready.borrow_mut();
        ready.push(None);
        ready.len() - 1
    }

    fn ready_answer(&self, place: usize) -> Option<Answer> {
        let ready = self.ready.borrow();
        let ready = ready.get(place)?.as_ref()?;
        Some(Answer {
            value: ready.value.clone(),
            label: ready.label,
        })
    }

    fn definition_at(&self, place: usize) -> Option<&'static Definition> {
        let steps = &self.plan.steps;
        match steps.get(place) {
            Some(step) => Some(step.definition),
            None => {
                let extras = self.dynamic.extras.borrow();
                extras
                    .get(place - steps.len())
                    .map(|extra| extra.definition)
            }
        }
    }

    /// The place of `definition` in this test, if it has one.
    fn place_of(&self, definition: &Definition) -> Option<usize> {
        let planned = self.plan.steps.iter();
        let planned = planned.map(|step| (step.definition, step.is_own()));
        let extras = self.dynamic.extras.borrow();
        planned
            .chain(extras.iter().map(|extra| (extra.definition, extra.is_own)))
            .position(|(known, is_own)| !is_own && known.is(definition))
    }

    /// How the fixture at `place` was reached.
    fn path(&self, place: usize) -> Result<Vec<Frame>, PlanError> {
        if let Some(extra) = place.checked_sub(self.plan.steps.len()) {
            let extras = self.dynamic.extras.borrow();
            return Ok(extras
                .get(extra)
                .map_or_else(Vec::new, |extra| extra.path.clone()));
        }
        match (self.definition_at(place), Config::get()) {
            (Some(definition), Ok(config)) => Plan::path_to(self.meta, definition, config),
            _ => Ok(Vec::new()),
        }
    }

    async fn respond(&self, ask: Ask) -> Result<Answer, Failure> {
        let refuse = |error: PlanError| ask.refuse(&error);
        let steps = self.steps_for(&ask).map_err(refuse)?;
        let mut places: Vec<usize> = Vec::with_capacity(steps.len());
        for (step, path) in steps {
            let definition = step.definition;
            let (place, step) = self.place_for(&step, path, &places).map_err(refuse)?;
            // Without a step, the place is ready.
            if let Some(step) = step {
                let failed = self.obtain(place, &step).await.map_err(refuse)?;
                if let Some((failure, reported_by)) = failed {
                    return Err(ask.failed(definition, failure, reported_by.as_deref()));
                }
            }
            places.push(place);
        }
        let answer = places.last().and_then(|place| self.ready_answer(*place));
        answer.ok_or_else(|| {
            let definition = ask.target;
            refuse(PlanError::Late { definition })
        })
    }

    /// What is to be ready for a request, in order, with the path to each. All of it counts as requested from now
    /// on: the first to be set up may look whether the others are there.
    fn steps_for(&self, ask: &Ask) -> Result<Vec<(Step, Vec<Frame>)>, PlanError> {
        let path = match ask.asker {
            Some(place) => self.path(place)?,
            None => Vec::new(),
        };
        let steps = Plan::requested(self.meta, ask.target, &path)?;
        let new: Vec<_> = steps
            .iter()
            .map(|(step, _)| step.definition)
            .filter(|definition| self.place_of(definition).is_none())
            .collect();
        self.dynamic.requested.borrow_mut().extend(new);
        Ok(steps)
    }

    /// The place of a step, and the step with the places of what it depends on. Without the latter when the test
    /// is ending: only what is ready is given then.
    fn place_for(
        &self,
        step: &Step,
        path: Vec<Frame>,
        places: &[usize],
    ) -> Result<(usize, Option<Step>), PlanError> {
        let definition = step.definition;
        let is_own = step.is_own();
        let place = if is_own {
            None
        } else {
            self.place_of(definition)
        };
        if self.dynamic.ending.get() {
            let ready = place.filter(|place| self.is_ready(*place));
            let ready = ready.ok_or(PlanError::Late { definition })?;
            return Ok((ready, None));
        }
        self.refuse_while_paused(step)?;
        let place = place.unwrap_or_else(|| {
            let extra = Extra {
                definition,
                path,
                is_own,
            };
            self.dynamic.extras.borrow_mut().push(extra);
            self.add_place()
        });
        let dependencies = step.dependencies.iter().map(|index| places[*index]);
        let step = Step {
            definition,
            dependencies: dependencies.collect(),
            given: step.given,
            with: step.with,
        };
        Ok((place, Some(step)))
    }

    /// Makes sure that the fixture at `place` is ready, or tells why it failed.
    async fn obtain(&self, place: usize, step: &Step) -> Result<Option<Failed>, PlanError> {
        self.dynamic.wait_for(place).await.map_err(|way| {
            let path = way.into_iter().filter_map(|at| self.definition_at(at));
            PlanError::Cycle {
                path: path.collect(),
            }
        })?;
        let _waits = self
            .dynamic
            .current
            .get()
            .map(|asker| self.dynamic.waiting(asker, place));
        Ok(self.set_up_at(place, step).await.err())
    }
}

impl Resolver for TestRun {
    fn answer(&self, ask: Ask) -> AnswerFuture<'_> {
        Box::pin(async move {
            let phase = self.clock.phase();
            let answer = self.respond(ask).await;
            if !self.dynamic.ending.get() {
                self.pause_clock(true);
                self.clock.enter(phase);
            }
            answer
        })
    }

    fn fixture_names(&self) -> Vec<&'static str> {
        let planned = self.plan.steps.iter().map(|step| step.definition.name);
        let extras = self.dynamic.extras.borrow();
        planned
            .chain(extras.iter().map(|extra| extra.definition.name))
            .collect()
    }

    fn has(&self, root: &'static Definition) -> bool {
        let requested = self.dynamic.requested.borrow();
        let planned = self.plan.steps.iter().map(|step| step.definition);
        planned
            .chain(requested.iter().copied())
            .any(|definition| definition.root().is(root))
    }

    fn has_failed(&self) -> bool {
        let record = self.record.borrow();
        let is_expected =
            self.meta.should_panic.is_some() || !matches!(self.meta.options.xfail, Xfail::No);
        record.skip().is_none()
            && (record.fixtures_failed() || record.body_failed() && !is_expected)
    }

    fn has_failed_with(&self, words: &[&str]) -> bool {
        let record = self.record.borrow();
        let (Some(BodyEnd::Failed(failure)) | Some(BodyEnd::Panicked { failure, .. })) =
            &record.body
        else {
            return false;
        };
        let mut texts = std::iter::once(&failure.message).chain(&failure.causes);
        texts.any(|text| words.iter().any(|word| text.contains(word)))
    }
}
