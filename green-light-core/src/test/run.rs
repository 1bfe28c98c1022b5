//! Runs one test on libtest's thread.

use std::rc::Rc;

use crate::config::Config;
use crate::context::run_sync::on_thread_stack;
use crate::context::thread_stack::beside_thread_stack;
use crate::context::wait::wait;
use crate::fixture::around::{AroundFuture, Next, Outcome};
use crate::fixture::debug::{Moment, debug};
use crate::fixture::definition::{Body, Request, Requester};
use crate::fixture::plan::Plan;
use crate::fixture::scope::Scope;
use crate::fixture::test_meta::TestMeta;
use crate::fixture::test_options::RuntimeChoice;
use crate::messages::show::Show;
use crate::report::events::open_event_file;
use crate::report::failure::Failure;
use crate::report::hook::{Reporting, install_hook};
use crate::report::panics::failure_of;
#[cfg(target_os = "linux")]
use crate::run_scope::assignment::Assignment;
use crate::runtime::enter::RuntimeError;
use crate::tasks;
use crate::tasks::{Here, RunningTest, Tasks};
#[cfg(target_os = "linux")]
use crate::test::keeper::keep::keep;
use crate::test::outcome::TestRecord;
use crate::test::runtime_choice::drive;
use crate::test::stranded;
use crate::test::stranded::stranded;
use crate::test::test_run::TestRun;
use crate::test::verdict::{Verdict, conclude};
use crate::test::{at_exit, events, last_test};

/// Runs a test. Called by the function that `#[green_light::test]` emits.
///
/// # Panics
///
/// If the test failed: libtest learns it by the panic.
pub fn run_test(meta: &'static TestMeta) {
    if last_test::is_only_listing() {
        // The harness ignored `--list`; end before the tests run a second time.
        std::process::exit(1);
    }
    #[cfg(target_os = "linux")]
    if let Some(assignment) = Assignment::of_this_process() {
        keep(meta, assignment);
    }
    install_hook();
    let _running = stranded::Running::begin();
    let reporting = Reporting::begin();
    let record = run(meta).unwrap_or_else(|failure| TestRecord {
        refused: Some(failure),
        ..TestRecord::default()
    });
    let verdict = Verdict::of(meta, &record);
    events::outcome(meta, &record, verdict);
    drop(reporting);
    conclude(meta, record, verdict);
}

fn run(meta: &'static TestMeta) -> Result<TestRecord, Failure> {
    let config = Config::get().map_err(Failure::new)?;
    open_event_file()?;
    events::plan();
    let show = Show::new(config);
    let plan = Plan::of(meta, config).map_err(|error| Failure::new(error.to_string()))?;
    show.begin();
    if show.instead_of_running(meta, &plan) {
        return Ok(TestRecord::default());
    }
    at_exit::register()?;
    debug(Moment::Begin(meta));
    let run = TestRun::new(meta, plan, show);
    run.plan
        .steps
        .iter()
        .try_for_each(|step| run.refuse_while_paused(step))
        .map_err(|error| Failure::new(error.to_string()))?;
    let test = RunningTest {
        path: meta.path,
        full_name: meta.full_name(),
        name: meta.name(),
    };
    let tasks = Tasks::of_test(test, meta.options.runtime != RuntimeChoice::Shared);
    let here = Here::enter(&tasks);
    let driven = if run.plan.has_context() {
        // The executor makes room for the test, which has the stack of this thread.
        let (inner, lost) = (Rc::clone(&run), Rc::clone(&run));
        beside_thread_stack(
            move || drive(meta, whole(inner, config)),
            move |_| stranded(meta, &lost.record.take()),
        )
    } else {
        drive_here(Rc::clone(&run), config)
    };
    drop(here);
    tasks.close();
    driven.map_err(|error| Failure::from_error(&error))?;
    debug(Moment::End(meta));
    Ok(run.record.take())
}

/// Drives a test without a context.
///
/// A function of its own: `whole` is large, and the room that it is made in, before it is in its box, would
/// otherwise be missing on the stack of every test.
#[inline(never)]
fn drive_here(run: Rc<TestRun>, config: &'static Config) -> Result<(), RuntimeError> {
    drive(run.meta, Box::pin(whole(run, config)))
}

/// The test, from its outermost around fixture to the shared fixtures it was the last user of.
async fn whole(run: Rc<TestRun>, config: &'static Config) {
    let name = run.meta.name();
    tasks::note_runtime();
    let expired = |late| run.record.borrow_mut().expired.push(late);
    match run.clock.run(name, arounds(&run, 0), expired).await {
        Some(Ok(Outcome { failed })) => run.record.borrow_mut().around.extend(failed),
        Some(Err(payload)) => run.record.borrow_mut().around.push(failure_of(&*payload)),
        None => {}
    }
    // An around fixture that did not run the rest, or dropped it, does not save the teardown; nor
    // does a timeout.
    while run.needs_teardown() {
        let left = Rc::clone(&run);
        let teardown = async move {
            if left.plan.has_context() {
                on_thread_stack(move || wait(left.tear_down())).await;
            } else {
                left.tear_down().await;
            }
        };
        if let Some(Err(payload)) = run.clock.run(name, teardown, expired).await {
            run.record.borrow_mut().around.push(failure_of(&*payload));
            break;
        }
    }
    // Those of around fixtures, and what a teardown that was cancelled has left.
    if tasks::are_left() {
        let mut left = Vec::new();
        run.clock
            .run(name, async { left = tasks::end_all().await }, expired)
            .await;
        run.record.borrow_mut().tasks.append(&mut left);
    }
    // The process after the module: it must not end while a module of it does.
    for scope in last_test::scopes(run.meta) {
        if last_test::is_last(scope, config) {
            run.clock
                .run(name, run.tear_down_scope(scope), expired)
                .await;
        }
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
    debug(Moment::Enter(definition));
    let by = Requester {
        fixture: Some(definition.name),
        scope: Scope::Test,
        test: Some(run.meta.asking()),
        module: run.meta.module(),
        place: None,
    };
    let request = Request::new(by, None);
    let inner = Rc::clone(run);
    let rest = Box::pin(async move { arounds(&inner, index + 1).await });
    Box::pin(async move {
        let outcome = body(Next::new(rest), request).await;
        debug(Moment::Leave(definition));
        run.show.tear_down(definition);
        outcome
    })
}
