//! The fixture in its keeper: set up, kept until the run has ended, torn down.

use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use crate::fixture::definition::{
    Definition, DynamicRequest, Request, Requester, Resolver, ResponseFuture,
};
use crate::fixture::events;
use crate::fixture::instance::{Instance, TeardownStep};
use crate::fixture::label::Label;
use crate::fixture::run_instance::decode;
use crate::fixture::test_meta::TestMeta;
use crate::fixture::transfer::Given;
use crate::fixture::value::{Value, Values};
use crate::report::failure::Failure;
use crate::report::print::progress;
use crate::run_scope::client;
use crate::run_scope::message::{FAILED, Outcome, outcome_line};
use crate::test::keeper::clients::Said;
use crate::test::keeper::kept::Kept;

/// The values that `kept` depends on, from their own keepers. Those end after this process.
pub(crate) fn dependencies(kept: &Kept, test: &TestMeta) -> Result<Values, Failure> {
    let dependencies = kept.dependencies.iter();
    dependencies
        .map(|(definition, id)| {
            let text = client::request(*id, test.full_name())?.outcome?;
            decode(definition, &text).map(Value::Shared)
        })
        .collect()
}

/// Sets the fixture up, says what came of it to `said`, and tears it down when `over` says that the run has ended. That
/// cancels a set-up which has not ended. Returns what went wrong in the teardown.
pub(crate) async fn live(
    definition: &'static Definition,
    values: Values,
    log: &str,
    said: &watch::Sender<Said>,
    mut over: oneshot::Receiver<()>,
) -> Vec<Failure> {
    let by = Requester {
        fixture: Some(definition.name),
        scope: definition.scope,
        test: None,
        module: definition.crate_name(),
        place: None,
    };
    let resolver: Rc<dyn Resolver> = Rc::new(NoRequests(definition));
    let request = Request::new(by, Some(Rc::downgrade(&resolver)));
    let instance = Instance::new(Label::next(definition), values, None, request);
    let set_up = tokio::select! {
        biased;
        result = instance.set_up() => Some(result),
        _ = &mut over => None,
    };
    let Some(result) = set_up else {
        return tear_down(&instance, None).await;
    };
    let (value, outcome) = match result {
        Ok(value) => {
            let outcome = text_of(&value);
            (Some(value), outcome)
        }
        Err(failure) => (None, Err(failure)),
    };
    say(said, outcome, log);
    // An error means that the run has ended as well.
    let _ = over.await;
    tear_down(&instance, value).await
}

/// Tears the fixture down, and writes that into the event file.
async fn tear_down(instance: &Instance, value: Option<Value>) -> Vec<Failure> {
    let ended = instance.tear_down(value, |step, failure, took| match step {
        TeardownStep::Teardown => {
            events::torn_down(&instance.label, failure.is_none(), None, took);
        }
        TeardownStep::Finalizer(index) => {
            events::finalized(&instance.label, index, None, took);
        }
    });
    ended.await
}

/// Says to all who ask what came of the set-up.
pub(crate) fn say(said: &watch::Sender<Said>, outcome: Outcome, log: &str) {
    let outcome = outcome.map_err(|mut failure| {
        progress(&format!("{FAILED}{failure}"));
        failure
            .via
            .push(format!("in its keeper, whose log is `{log}`"));
        failure
    });
    said.send_replace(Some(Arc::from(outcome_line(&outcome))));
}

fn text_of(value: &Value) -> Outcome {
    match value.get::<Given>() {
        Some(given) => given.text.clone(),
        None => unreachable!("the macro gives the value of a `run` fixture in this way only"),
    }
}

/// Answers the dynamic requests of a kept fixture: there are none.
struct NoRequests(&'static Definition);

impl Resolver for NoRequests {
    fn answer(&self, ask: DynamicRequest) -> ResponseFuture<'_> {
        let why = format!(
            "fixture `{}` has scope `run`, and cannot request `{}` while it runs\n  \
             help: take `{}` as a parameter",
            self.0.name, ask.target.name, ask.target.name
        );
        Box::pin(async move { Err(ask.refuse(why)) })
    }
}
