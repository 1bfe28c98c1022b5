//! The phases of one test: set-up, body, teardown.
//!
//! Everything a phase has to leave behind is kept in [`TestRun`], not in the phase's future. So a
//! phase may be dropped half-way by an around fixture, and teardown still finds what to end.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use crate::fixture::definition::Definition;
use crate::fixture::dynamic::Resolver;
use crate::fixture::instance::{Ended, Live};
use crate::fixture::label::Label;
use crate::fixture::plan::{Plan, Step};
use crate::fixture::request::{By, Request};
use crate::fixture::scope::Scope;
use crate::fixture::setup::{Value, Values};
use crate::fixture::shared_instance::{ScopeKey, Shared};
use crate::fixture::shared_resolver::Origin;
use crate::fixture::store::{From as StoreFrom, Store};
use crate::fixture::test_meta::TestMeta;
use crate::messages::debug::{Moment, debug};
use crate::messages::show::Show;
use crate::messages::text;
use crate::report::durations::Watch;
use crate::report::events;
use crate::report::events::{During, Event};
use crate::report::failure::Failure;
use crate::report::panics::caught;
use crate::report::print::say;
use crate::tasks;
use crate::tasks::Owner;
use crate::test::deadline::{Clock, Phase};
use crate::test::dynamic::{Dynamic, Failed};
use crate::test::outcome::{FixtureFailure, Record, Took};
use crate::test::runtime_choice::Pause;

/// What a step of the plan has become.
#[derive(Clone)]
pub(crate) struct Ready {
    pub(crate) label: Label,
    pub(crate) value: Value,
    pub(crate) shared: Option<Arc<Shared>>,
}

/// A running test.
pub(crate) struct TestRun {
    pub(crate) meta: &'static TestMeta,
    pub(crate) plan: Plan,
    pub(crate) show: Show,
    pub(crate) clock: Clock,
    pub(crate) record: RefCell<Record>,
    pub(crate) ready: RefCell<Vec<Option<Ready>>>,
    /// Set-ups that have begun and not ended, innermost last.
    begun: RefCell<Vec<Rc<Live>>>,
    /// Set-ups that have ended, in that order, with their step.
    ended: RefCell<Vec<(usize, Rc<Live>)>>,
    /// The test's own `on_teardown` steps.
    pub(crate) request: Request,
    /// Of the tasks that the body spawns.
    pub(crate) owner: Owner,
    /// The body has been called.
    pub(crate) called: Cell<bool>,
    torn_down: Cell<bool>,
    pub(crate) dynamic: Dynamic,
    pub(crate) pause: Pause,
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
            record: RefCell::default(),
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

    fn took(&self, note: impl FnOnce(&mut Took)) {
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
    pub(crate) fn note_overrun(&self) {
        if let Some(late) = self.clock.overrun() {
            self.record.borrow_mut().expired.push(late);
        }
    }

    /// Sets up the fixture at `place`, unless a dynamic request has done so.
    pub(crate) async fn set_up_at(&self, place: usize, step: &Step) -> Result<(), Failed> {
        if self.is_ready(place) {
            return Ok(());
        }
        if let Some(failed) = self.dynamic.failure(place) {
            return Err(failed);
        }
        self.clock.enter(Phase::SetUp(step.definition));
        let wide = step.definition.scope.is_wide() && step.given.is_none();
        self.pause_clock(!wide);
        let result = if let Some(given) = step.given {
            self.set_up_given(step, given).await
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
    pub(crate) fn during(&self) -> During {
        During {
            test: self.meta.full_name(),
            phase: if self.called.get() { "call" } else { "setup" },
        }
    }

    async fn set_up_local(&self, index: usize, step: &Step) -> Result<Ready, Failed> {
        let label = Label::next(step.definition);
        let values = self.values(&step.dependencies);
        let request = request(self.meta, Some((index, step.definition)), &self.me);
        let live = Rc::new(Live::new(label, values, step.with, request));
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
        Event::setup(&label, deps, failure, self.during(), watch.took());
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

    async fn set_up_shared(&self, step: &Step) -> Result<Ready, Failed> {
        let scope = ScopeKey::of(step.definition.scope, self.meta.module());
        let built: Vec<Option<Ready>> = {
            let ready = self.ready.borrow();
            let built = step.dependencies.iter();
            built.map(|index| ready[*index].clone()).collect()
        };
        let from: Vec<StoreFrom<'_>> = built
            .iter()
            .zip(step.definition.dependencies)
            .filter_map(|(ready, dependency)| {
                let Ready { shared, value, .. } = ready.as_ref()?;
                let (Some(shared), Value::Shared(value)) = (shared, value) else {
                    return None;
                };
                Some(StoreFrom {
                    shared,
                    value: Arc::clone(value),
                    name: (dependency.target)().name,
                })
            })
            .collect();
        let origin = Origin {
            test: self.meta,
            path: None,
        };
        let (shared, made) = Store::obtain(step, scope, &from, self.during(), &origin).await;
        let result = shared.value().await;
        if made {
            self.show.set_up(step);
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
                        Ended::Teardown => {
                            Event::teardown(&live.label, failure.is_none(), during, took);
                        }
                        Ended::Finalizer(index) => {
                            Event::finalizer(&live.label, index, during, took);
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
        self.record
            .borrow_mut()
            .teardown
            .extend(failures.into_iter().map(|failure| FixtureFailure {
                definition,
                failure,
                needed_by: Vec::new(),
                reported_by: None,
            }));
    }

    pub(crate) fn values(&self, steps: &[usize]) -> Values {
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
}

/// What the test, or the fixture at a place in it, knows about itself.
fn request(
    meta: &'static TestMeta,
    fixture: Option<(usize, &'static Definition)>,
    resolver: &Weak<TestRun>,
) -> Request {
    let by = By {
        fixture: fixture.map(|(_, definition)| definition.name),
        scope: Scope::Test,
        test: Some(meta),
        module: meta.module(),
        place: fixture.map(|(place, _)| place),
    };
    let resolver: Weak<dyn Resolver> = Weak::<TestRun>::clone(resolver);
    Request::new(by, Some(resolver))
}
