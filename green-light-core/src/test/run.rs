//! Runs one test on libtest's thread, and tells libtest how it went.
//!
//! libtest understands a panic and nothing else. So everything that went wrong is printed on this
//! thread, where libtest captures it, and then one panic is raised without printing again: the
//! body's own payload if it panicked, so that `#[should_panic(expected = ..)]` sees it.

use std::any::Any;
use std::panic::resume_unwind;
use std::rc::Rc;

use super::case::TestMeta;
use super::outcome::{BodyEnd, Record};
use super::phases::TestRun;
use super::{at_exit, events, schedule};
use crate::config::Config;
use crate::fixture::{AroundFuture, Body, Next, Outcome, Plan, Request, Scope};
use crate::report::show::Show;
use crate::report::{Failure, failure_of, install_hook, say, text};
use crate::{context, runtime};

/// Runs a test. Called by the function that `#[green_light::test]` emits.
///
/// # Panics
///
/// If the test failed, which is how libtest is told.
pub fn run_test(meta: &'static TestMeta) {
    if schedule::is_only_listing() {
        // The harness ignored `--list`; end before the tests run a second time.
        std::process::exit(1);
    }
    install_hook();
    let record = run(meta).unwrap_or_else(|failure| Record {
        refused: Some(failure),
        ..Record::default()
    });
    events::outcome(meta, &record);
    conclude(meta, record);
}

fn run(meta: &'static TestMeta) -> Result<Record, Failure> {
    let config = Config::get()?;
    crate::report::events::open()?;
    let show = Show::new(config);
    let plan = Plan::of(meta, config).map_err(|error| Failure::new(error.to_string()))?;
    show.begin();
    if show.plans_only() {
        show.plan(meta, &plan);
        return Ok(Record::default());
    }
    at_exit::register()?;
    let run = Rc::new(TestRun::new(meta, plan, show));
    runtime::block_on(whole(Rc::clone(&run), config))
        .map_err(|error| Failure::from_error(&error))?;
    Ok(run.record.take())
}

/// The test, from its outermost around fixture to the shared fixtures it was the last user of.
async fn whole(run: Rc<TestRun>, config: &'static Config) {
    let name = run.meta.name();
    let expired = |phase, limit| run.record.borrow_mut().expired.push((phase, limit));
    match run.clock.run(name, arounds(&run, 0), expired).await {
        Some(Ok(Outcome { failed })) => run.record.borrow_mut().around.extend(failed),
        Some(Err(payload)) => run.record.borrow_mut().around.push(failure_of(&*payload)),
        None => {}
    }
    // An around fixture that did not run the rest, or dropped it, does not save the teardown; nor
    // does a timeout.
    while run.needs_teardown() {
        let left = Rc::clone(&run);
        let teardown = context::run_sync(move || context::wait(left.tear_down()));
        if let Some(Err(payload)) = run.clock.run(name, teardown, expired).await {
            run.record.borrow_mut().around.push(failure_of(&*payload));
            break;
        }
    }
    for scope in schedule::finished(run.meta, config) {
        run.clock
            .run(name, run.tear_down_scope(scope), expired)
            .await;
    }
}

fn arounds(run: &Rc<TestRun>, index: usize) -> AroundFuture<'_> {
    let Some(definition) = run.plan.arounds.get(index) else {
        return Box::pin(async move {
            run.phases().await;
            Outcome::done()
        });
    };
    let Body::Around(body) = definition.body else {
        unreachable!("the plan keeps around fixtures apart");
    };
    run.show.around(definition);
    let request = Request::new(
        Some(definition.name),
        Scope::Test,
        Some(run.meta.name()),
        run.meta.module(),
    );
    let inner = Rc::clone(run);
    let rest = Box::pin(async move { arounds(&inner, index + 1).await });
    Box::pin(async move {
        let outcome = body(Next::new(rest), request).await;
        run.show.tear_down(definition);
        outcome
    })
}

/// Prints what has not been printed yet and fails the test.
fn conclude(meta: &'static TestMeta, record: Record) {
    let refused = record
        .refused
        .iter()
        .map(|failure| text::refused(meta, failure));
    let own = record
        .own_teardown
        .iter()
        .map(|failure| text::own_teardown_error(meta, failure));
    let teardown = record
        .teardown
        .iter()
        .map(|failed| text::teardown_error(meta, failed));
    let around = record.around.iter().map(text::around_error);
    let expired = record
        .expired
        .iter()
        .map(|(phase, limit)| text::expired(meta, *phase, *limit));
    let late: Vec<String> = expired
        .chain(refused)
        .chain(own)
        .chain(teardown)
        .chain(around)
        .collect();
    for error in &late {
        say(error);
    }
    let fixtures_failed = record.setup.is_some() || !late.is_empty();
    let body: Option<Box<dyn Any + Send>> = match record.body {
        Some(BodyEnd::Failed(failure)) => Some(Box::new(failure.message)),
        Some(BodyEnd::Panicked { payload, .. }) => Some(payload),
        Some(BodyEnd::Passed) | None => None,
    };
    match body {
        // Only the body may panic: returning makes libtest say that the test did not.
        _ if fixtures_failed && meta.should_panic => say(text::ONLY_THE_BODY_MAY_PANIC),
        Some(payload) => resume_unwind(payload),
        None if fixtures_failed => resume_unwind(Box::new("a fixture failed")),
        None => {}
    }
}
