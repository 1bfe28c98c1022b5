//! A running test: its phases, and the dynamic requests of its body and its own fixtures.
//!
//! Everything a phase has to leave behind is kept in [`TestRun`], not in the phase's future. So a
//! phase may be dropped half-way by an around fixture, and teardown still finds what to end.
//!
//! A dynamic request is planned when it is made, from what the test sees and from the path to the fixture that asks, so
//! that an override that asks for its own name gets what it overrides. Its steps are then set up as
//! those of the plan are, except for what is ready already. Requests may overlap, in a `join!`: one
//! that needs what another is setting up waits for it, unless that would be for ever.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use crate::config::Config;
use crate::context::wait::synchronous;
use crate::fixture::debug::{Moment, debug};
use crate::fixture::definition::{
    BodyArgs, Definition, DynamicRequest, DynamicResponse, Request, Requester, Resolver,
    ResponseFuture,
};
use crate::fixture::events::{self as fixture_events, During};
use crate::fixture::fixture_failure::FixtureFailure;
use crate::fixture::instance::{Instance, TeardownStep};
use crate::fixture::label::Label;
use crate::fixture::phase::Phase;
use crate::fixture::plan::{Frame, Plan, Step};
use crate::fixture::plan_error::PlanError;
use crate::fixture::scope::{Scope, ScopeKey};
use crate::fixture::shared_instance::SharedInstance;
use crate::fixture::shared_thread::{self, RequestOrigin};
use crate::fixture::store::{SharedDependency, Store};
use crate::fixture::supplied::{Erased, Supplied};
use crate::fixture::test_meta::TestMeta;
use crate::fixture::test_options::{RuntimeChoice, Xfail};
use crate::fixture::value::{Value, Values};
use crate::messages::show::Show;
use crate::messages::text;
use crate::report::durations::{self, Watch};
use crate::report::events::{self, Event};
use crate::report::failure::Failure;
use crate::report::panics::{caught, caught_drop, caught_payload};
use crate::report::print::say;
use crate::tasks::{self, Owner};
use crate::test::deadline::Clock;
use crate::test::dynamic::{Dynamic, Extra, SetupFailure};
use crate::test::outcome::{BodyEnd, PhaseDurations, TestRecord};
use crate::test::runtime_choice::Pause;

/// What a step of the plan has become.
#[derive(Clone)]
struct Ready {
    label: Label,
    value: Value,
    shared: Option<Arc<SharedInstance>>,
}

/// A running test.
pub(crate) struct TestRun {
    pub(crate) meta: &'static TestMeta,
    pub(crate) plan: Plan,
    pub(crate) show: Show,
    pub(crate) clock: Clock,
    pub(crate) record: RefCell<TestRecord>,
    ready: RefCell<Vec<Option<Ready>>>,
    /// Set-ups that have begun and not ended, innermost last.
    begun: RefCell<Vec<Rc<Instance>>>,
    /// Set-ups that have ended, in that order, with their step.
    ended: RefCell<Vec<(usize, Rc<Instance>)>>,
    /// The test's own `on_teardown` steps.
    request: Request,
    /// Of the tasks that the body spawns.
    owner: Owner,
    /// The body has been called.
    called: Cell<bool>,
    torn_down: Cell<bool>,
    dynamic: Dynamic,
    pause: Pause,
    /// For the requests of its fixtures.
    me: Weak<TestRun>,
}

impl TestRun {
    pub(crate) fn new(meta: &'static TestMeta, plan: Plan, show: Show) -> Rc<Self> {
        Rc::new_cyclic(|me| Self::within(meta, plan, show, me))
    }

    fn within(meta: &'static TestMeta, plan: Plan, show: Show, me: &Weak<Self>) -> Self {
        let ready = RefCell::new(plan.steps.iter().map(|_| None).collect());
        Self {
            meta,
            plan,
            show,
            clock: Clock::new(meta.timeout),
            ready,
            record: RefCell::new(TestRecord {
                began: events::enabled().then(events::now),
                ..TestRecord::default()
            }),
            begun: RefCell::default(),
            ended: RefCell::default(),
            request: request(meta, None, me),
            owner: Owner::new(),
            called: Cell::new(false),
            torn_down: Cell::new(false),
            dynamic: Dynamic::default(),
            pause: Pause::default(),
            me: Weak::clone(me),
        }
    }

    /// Set-up, body and teardown, each whatever became of the one before.
    pub(crate) async fn phases(&self) {
        let watch = Watch::start();
        let is_set_up = self.set_up().await;
        self.took(|took| took.setup += watch.took());
        if is_set_up {
            let watch = Watch::start();
            self.body().await;
            self.took(|took| took.call += watch.took());
        }
        // A body that swallows the unwinding of a timeout ends here, in a cancelled context. Its
        // fixtures end in a fresh one.
        if !self.clock.has_expired() {
            self.tear_down().await;
        }
    }

    fn took(&self, note: impl FnOnce(&mut PhaseDurations)) {
        note(&mut self.record.borrow_mut().took);
    }

    /// Sets up every fixture of the plan, stopping at the first failure.
    async fn set_up(&self) -> bool {
        for (index, step) in self.plan.steps.iter().enumerate() {
            if let Err((failure, reported_by)) = self.set_up_at(index, step).await {
                let failed = FixtureFailure {
                    definition: step.definition,
                    failure,
                    needed_by: self.needed_by(index),
                    reported_by,
                };
                if !failed.failure.skipped {
                    say(&text::setup_error(self.meta, &failed));
                }
                self.record.borrow_mut().setup = Some(failed);
                return false;
            }
            if self.clock.has_overrun() {
                return false;
            }
        }
        true
    }

    /// Notes that the phase that has just ended took too long, if it did.
    fn note_overrun(&self) {
        if let Some(late) = self.clock.overrun() {
            self.record.borrow_mut().expired.push(late);
        }
    }

    /// Sets up the fixture at `place`, unless a dynamic request has done so.
    async fn set_up_at(&self, place: usize, step: &Step) -> Result<(), SetupFailure> {
        if self.is_ready(place) {
            return Ok(());
        }
        if let Some(failed) = self.dynamic.failure(place) {
            return Err(failed);
        }
        self.clock.enter(Phase::SetUp(step.definition));
        let wide = step.definition.scope.is_wide() && step.supplied.is_none();
        self.pause_clock(!wide);
        let result = if let Some(supplied) = step.supplied {
            self.set_up_supplied(step, supplied).await
        } else if wide {
            self.set_up_shared(step).await
        } else {
            let set_up = self.set_up_local(place, step);
            self.dynamic.setting_up(place, set_up).await
        };
        match result {
            Ok(ready) => {
                self.ready.borrow_mut()[place] = Some(ready);
                self.note_overrun();
                Ok(())
            }
            Err(failed) => {
                self.dynamic.keep_failure(place, &failed);
                Err(failed)
            }
        }
    }

    /// For the events of a set-up.
    fn during(&self) -> During {
        During {
            test: self.meta.full_name(),
            phase: if self.called.get() { "call" } else { "setup" },
        }
    }

    async fn set_up_local(&self, index: usize, step: &Step) -> Result<Ready, SetupFailure> {
        let label = Label::next(step.definition);
        let values = self.values(&step.dependencies);
        let request = request(self.meta, Some((index, step.definition)), &self.me);
        let live = Rc::new(Instance::new(label, values, step.with, request));
        self.begun.borrow_mut().push(Rc::clone(&live));
        debug(Moment::SetUp(step.definition));
        let watch = Watch::start();
        let result = live.set_up().await;
        self.begun
            .borrow_mut()
            .retain(|begun| !Rc::ptr_eq(begun, &live));
        let mut deps = Vec::new();
        if events::enabled() {
            deps = self.labels(step);
            deps.extend(live.take_answers());
        }
        let failure = result.as_ref().err();
        fixture_events::set_up(&label, deps, failure, self.during(), watch.took(), None);
        self.ended.borrow_mut().push((index, live));
        self.show.set_up(step);
        result
            .map(|value| Ready {
                label,
                value,
                shared: None,
            })
            .map_err(|failure| (failure, None))
    }

    async fn set_up_shared(&self, step: &Step) -> Result<Ready, SetupFailure> {
        let scope = ScopeKey::of(step.definition.scope, self.meta.module());
        let built: Vec<Option<Ready>> = {
            let ready = self.ready.borrow();
            let built = step.dependencies.iter();
            built.map(|index| ready[*index].clone()).collect()
        };
        let from: Vec<SharedDependency<'_>> = built
            .iter()
            .zip(step.definition.dependencies)
            .filter_map(|(ready, dependency)| {
                let Ready { shared, value, .. } = ready.as_ref()?;
                let (Some(shared), Value::Shared(value)) = (shared, value) else {
                    return None;
                };
                Some(SharedDependency {
                    shared,
                    value: Arc::clone(value),
                    name: (dependency.target)().name,
                })
            })
            .collect();
        let (shared, made) = Store::obtain(step, scope, &from, self.meta).await;
        if made {
            let origin = RequestOrigin {
                test: self.meta,
                path: None,
            };
            shared_thread::start(&shared, &from, self.during(), origin);
        }
        let watch = Watch::start();
        let result = shared.value().await;
        if let Some(failure) = shared.take_earlier_failure() {
            let failed = FixtureFailure::in_teardown(step.definition, failure);
            self.record.borrow_mut().teardown.push(failed);
        }
        if made && shared.is_set_up_here() {
            let printed = shared.started().and_then(|keeper| keeper.printed.as_ref());
            if let Some(printed) = printed {
                say(&format!(
                    "fixture `{}`, {printed}",
                    shared.label.definition.name
                ));
            }
            self.show.set_up(step);
        } else {
            let what = shared.label.definition.name;
            fixture_events::waited(what, Some(self.meta.full_name()), watch.took());
        }
        match result {
            Ok(value) => Ok(Ready {
                label: shared.label,
                value: Value::Shared(value),
                shared: Some(shared),
            }),
            Err(failed) => {
                let reported_by = failed.reported_before(self.meta.full_name());
                Err((failed.failure.clone(), reported_by.map(str::to_owned)))
            }
        }
    }

    /// Takes what the test supplies instead of a fixture.
    async fn set_up_supplied(
        &self,
        step: &Step,
        supplied: &Supplied,
    ) -> Result<Ready, SetupFailure> {
        let definition = step.definition;
        let scope = ScopeKey::of(definition.scope, self.meta.module());
        let watch = Watch::start();
        let (ready, made) = caught(async {
            match synchronous(supplied.value).0 {
                Erased::Local(value) => {
                    let label = Label::next(definition);
                    let ready = Ready {
                        label,
                        value,
                        shared: None,
                    };
                    (ready, true)
                }
                Erased::Shared(value, equals) => {
                    let (shared, made) = Store::supply(definition, scope, &value, equals);
                    let ready = Ready {
                        label: shared.label,
                        // Equal is as good as the same; this one may be gone with its scope.
                        value: Value::Shared(shared.ready().unwrap_or(value)),
                        shared: Some(shared),
                    };
                    (ready, made)
                }
            }
        })
        .await
        .map_err(|failure| (failure, None))?;
        if made {
            fixture_events::set_up(
                &ready.label,
                Vec::new(),
                None,
                self.during(),
                watch.took(),
                None,
            );
            self.show.set_up(step);
        }
        Ok(ready)
    }

    /// Runs the user's function.
    async fn body(&self) {
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
        let setup = BodyArgs::new(values, self.request.clone());
        // Called inside the future: cloning a value for a parameter may panic.
        let mut body = Box::pin(async { (self.meta.body)(&setup).await });
        let watch = Watch::start();
        let end = caught_payload(tasks::owning(self.owner, &mut body)).await;
        durations::note(watch.took(), || {
            format!("{:<9} {}", "body", self.meta.full_name())
        });
        // What the body borrowed goes before its fixtures do.
        let dropped = caught_drop(body);
        drop(setup);
        let end = BodyEnd::of(end, dropped);
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

    /// Whether teardown has not ended: an around fixture, or a timeout, kept the phases from ending.
    pub(crate) fn needs_teardown(&self) -> bool {
        !self.torn_down.get()
    }

    /// Ends the fixtures of the test, latest first. Cancelled half-way, the next call goes on with
    /// the next fixture.
    pub(crate) async fn tear_down(&self) {
        self.clock.enter(Phase::Teardown(None));
        let watch = Watch::start();
        self.dynamic.ending.set(true);
        let during = self.meta.full_name();
        // Those that are left: a body that was cancelled has not ended its tasks.
        let left = tasks::end(self.owner).await;
        self.record.borrow_mut().tasks.extend(left);
        while let Some(step) = self.request.pop_finalizer() {
            if let Err(failure) = caught(step).await.unwrap_or_else(Err) {
                self.record.borrow_mut().own_teardown.push(failure);
            }
        }
        self.note_overrun();
        loop {
            let begun = self.begun.borrow_mut().pop().map(|live| (None, live));
            let ended = || {
                self.ended
                    .borrow_mut()
                    .pop()
                    .map(|(index, live)| (Some(index), live))
            };
            let Some((index, live)) = begun.or_else(ended) else {
                break;
            };
            self.clock.enter(Phase::Teardown(Some(live.definition())));
            debug(Moment::TearDown(live.definition()));
            let value = index.and_then(|index| self.ready.borrow_mut()[index].take());
            let failures = live
                .tear_down(
                    value.map(|ready| ready.value),
                    |step, failure, took| match step {
                        TeardownStep::Teardown => {
                            fixture_events::torn_down(
                                &live.label,
                                failure.is_none(),
                                Some(during),
                                took,
                            );
                        }
                        TeardownStep::Finalizer(index) => {
                            fixture_events::finalized(&live.label, index, Some(during), took);
                        }
                    },
                )
                .await;
            self.note_overrun();
            self.show.tear_down(live.definition());
            self.teardown_failed(live.definition(), failures);
        }
        self.ready.borrow_mut().clear();
        self.torn_down.set(true);
        self.took(|took| took.teardown += watch.took());
    }

    /// Ends the shared fixtures of a scope, of which this was the last test.
    pub(crate) async fn tear_down_scope(&self, scope: ScopeKey) {
        let watch = Watch::start();
        self.pause_clock(false);
        for shared in Store::take(scope) {
            self.clock
                .enter(Phase::Teardown(Some(shared.label.definition)));
            let failures = shared.tear_down(self.meta.full_name()).await;
            self.show.tear_down(shared.label.definition);
            self.teardown_failed(shared.label.definition, failures);
        }
        self.took(|took| took.teardown += watch.took());
    }

    fn teardown_failed(&self, definition: &'static Definition, failures: Vec<Failure>) {
        self.record.borrow_mut().teardown.extend(
            failures
                .into_iter()
                .map(|failure| FixtureFailure::in_teardown(definition, failure)),
        );
    }

    fn values(&self, steps: &[usize]) -> Values {
        let ready = self.ready.borrow();
        steps
            .iter()
            .map(|index| {
                ready[*index]
                    .as_ref()
                    .expect("dependencies are set up first")
                    .value
                    .clone()
            })
            .collect()
    }

    fn labels(&self, step: &Step) -> Vec<(&'static str, String)> {
        let ready = self.ready.borrow();
        step.dependencies
            .iter()
            .filter_map(|index| ready[*index].as_ref())
            .map(|ready| (ready.label.definition.name, ready.label.to_string()))
            .collect()
    }

    /// The fixtures between the step at `index` and the test, nearest first.
    fn needed_by(&self, index: usize) -> Vec<&'static Definition> {
        let (mut chain, mut at) = (Vec::new(), index);
        while !self.plan.requests.contains(&at) {
            let dependent = |step: &Step| step.dependencies.contains(&at);
            let Some(next) = self.plan.steps.iter().position(dependent) else {
                break;
            };
            chain.push(self.plan.steps[next].definition);
            at = next;
        }
        chain
    }

    fn is_ready(&self, place: usize) -> bool {
        matches!(self.ready.borrow().get(place), Some(Some(_)))
    }

    /// A place for a fixture that is not in the plan.
    fn add_place(&self) -> usize {
        let mut ready = self.ready.borrow_mut();
        ready.push(None);
        ready.len() - 1
    }

    fn ready_answer(&self, place: usize) -> Option<DynamicResponse> {
        let ready = self.ready.borrow();
        let ready = ready.get(place)?.as_ref()?;
        Some(DynamicResponse {
            value: ready.value.clone(),
            label: ready.label.to_string(),
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

    async fn respond(&self, ask: DynamicRequest) -> Result<DynamicResponse, Failure> {
        let refuse = |error: PlanError| ask.refuse(error);
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
    fn steps_for(&self, ask: &DynamicRequest) -> Result<Vec<(Step, Vec<Frame>)>, PlanError> {
        let path = match ask.asking {
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
            supplied: step.supplied,
            with: step.with,
        };
        Ok((place, Some(step)))
    }

    /// Makes sure that the fixture at `place` is ready, or tells why it failed.
    async fn obtain(&self, place: usize, step: &Step) -> Result<Option<SetupFailure>, PlanError> {
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
            .map(|asking| self.dynamic.waiting(asking, place));
        Ok(self.set_up_at(place, step).await.err())
    }

    /// Stops the clock before the test's own code, if it is to stand still, and lets it go on before
    /// that of shared fixtures.
    fn pause_clock(&self, paused: bool) {
        if self.meta.options.runtime == RuntimeChoice::Paused {
            self.pause.set(paused);
        }
    }

    /// A shared asynchronous fixture does real I/O, under whose timeouts a paused clock would jump.
    pub(crate) fn refuse_while_paused(&self, step: &Step) -> Result<(), PlanError> {
        let definition = step.definition;
        let works = definition.scope.is_wide() && definition.is_async && step.supplied.is_none();
        if works && self.meta.options.runtime == RuntimeChoice::Paused {
            return Err(PlanError::Paused { definition });
        }
        Ok(())
    }
}

impl Resolver for TestRun {
    fn answer(&self, ask: DynamicRequest) -> ResponseFuture<'_> {
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

/// What the test, or the fixture at a place in it, knows about itself.
fn request(
    meta: &'static TestMeta,
    fixture: Option<(usize, &'static Definition)>,
    resolver: &Weak<TestRun>,
) -> Request {
    let by = Requester {
        fixture: fixture.map(|(_, definition)| definition.name),
        scope: Scope::Test,
        test: Some(meta.asking()),
        module: meta.module(),
        place: fixture.map(|(place, _)| place),
    };
    let resolver: Weak<dyn Resolver> = Weak::<TestRun>::clone(resolver);
    Request::new(by, Some(resolver))
}
