//! The set-up of a fixture whose value the test gives.

use crate::context::wait::synchronous;
use crate::fixture::label::Label;
use crate::fixture::plan::Step;
use crate::fixture::setup::Value;
use crate::fixture::shared_instance::ScopeKey;
use crate::fixture::store::Store;
use crate::fixture::supplied::{Erased, Given};
use crate::report::durations::Watch;
use crate::report::events::Event;
use crate::report::panics::caught;
use crate::test::dynamic::Failed;
use crate::test::phases::{Ready, TestRun};

impl TestRun {
    /// Takes what the test gives instead of a fixture.
    pub(crate) async fn set_up_given(&self, step: &Step, given: &Given) -> Result<Ready, Failed> {
        let definition = step.definition;
        let scope = ScopeKey::of(definition.scope, self.meta.module());
        let watch = Watch::start();
        let (ready, made) = caught(async {
            match synchronous(given.value).0 {
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
                    let (shared, made) = Store::give(definition, scope, &value, equals);
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
            Event::setup(&ready.label, Vec::new(), None, self.during(), watch.took());
            self.show.set_up(step);
        }
        Ok(ready)
    }
}
