//! Which fixture a keeper keeps.

use crate::fixture::definition::{Definition, KEPT};
use crate::fixture::plan::Plan;
use crate::fixture::run_instance::identify;
use crate::fixture::test_meta::TestMeta;
use crate::run_scope::instance_id::InstanceId;

/// An instance, and what it is built from.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) definition: &'static Definition,
    pub(crate) id: InstanceId,
    pub(crate) dependencies: Vec<(&'static Definition, InstanceId)>,
}

impl Kept {
    /// The instance of `key`, as `test` means it: overrides may give it other dependencies than in another test.
    pub(crate) fn find(test: &'static TestMeta, key: u64) -> Option<Self> {
        KEPT.iter().find_map(|kept| Self::among(test, kept(), key))
    }

    /// The same among all that `test` gets if it requests `definition`.
    fn among(test: &'static TestMeta, definition: &'static Definition, key: u64) -> Option<Self> {
        let steps = Plan::requested(test, definition, &[]).ok()?;
        let mut built: Vec<Option<Self>> = Vec::with_capacity(steps.len());
        for (step, _) in &steps {
            let dependencies = step.dependencies.iter();
            let dependencies: Option<Vec<_>> = dependencies
                .map(|index| {
                    built[*index]
                        .as_ref()
                        .map(|kept| (kept.definition, kept.id))
                })
                .collect();
            // What a test supplies, and what is built from it, has no keeper.
            let dependencies = dependencies.filter(|_| step.supplied.is_none());
            built.push(dependencies.map(|dependencies| {
                let ids: Vec<_> = dependencies.iter().map(|(_, id)| *id).collect();
                Self {
                    definition: step.definition,
                    id: identify(step.definition, &ids),
                    dependencies,
                }
            }));
        }
        built.into_iter().flatten().find(|kept| kept.id.key == key)
    }
}
