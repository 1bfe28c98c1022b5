//! The mistakes: texts of green-light's own resolver, and what takes their place.

/// One mistake.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    pub(crate) edits: &'static [Edit],
}

/// One text in one file, which has to stand there once.
pub(crate) struct Edit {
    /// Below `green-light-core/src`.
    pub(crate) file: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

const fn mutant(name: &'static str, edits: &'static [Edit]) -> Mutant {
    Mutant { name, edits }
}

const fn edit(file: &'static str, from: &'static str, to: &'static str) -> Edit {
    Edit { file, from, to }
}

const PLAN: &str = "fixture/plan.rs";
const VISIBILITY: &str = "fixture/visibility.rs";
const STORE: &str = "fixture/store.rs";
const TEST_RUN: &str = "test/test_run.rs";
const RUN: &str = "test/run.rs";
const LAST_TEST: &str = "test/last_test.rs";

const SEEN_ORDER: &str = "(*level, definition.name, definition.module)";

pub(crate) const MUTANTS: &[Mutant] = &[
    mutant(
        "AutouseLast",
        &[edit(
            PLAN,
            "let unasked = autouse.chain(uses).chain(of_module);
",
            "let unasked = uses.chain(of_module);
        let requests = requests.chain(autouse.map(|definition| (definition, None)));
",
        )],
    ),
    mutant(
        "AutouseDeclarationOrder",
        &[edit(
            VISIBILITY,
            SEEN_ORDER,
            "(*level, definition.location.line, definition.module)",
        )],
    ),
    mutant(
        "AutouseModuleFirst",
        &[edit(
            VISIBILITY,
            SEEN_ORDER,
            "(Reverse(*level), definition.name, definition.module)",
        )],
    ),
    mutant(
        "AutouseOwnModuleOnly",
        &[edit(
            VISIBILITY,
            "if definition.autouse {",
            "if definition.autouse && definition.module == module {",
        )],
    ),
    mutant(
        "NoScopeSort",
        &[edit(
            PLAN,
            "    let mut order = reachable.order;
    order.sort_by_key(|(key, _)| std::cmp::Reverse(planner.nearest(*key).scope));
    order
",
            "    reachable.order
",
        )],
    ),
    mutant(
        "BreadthFirst",
        &[edit(
            PLAN,
            "    for (key, own) in initial {
        reachable.visit(*key, *own, planner);
    }
",
            "    reachable.order.extend(initial.iter().copied());
    let mut next = 0;
    while let Some((key, _)) = reachable.order.get(next).copied() {
        next += 1;
        for dependency in planner.dependencies(key, planner.nearest(key)) {
            let target = (dependency.target)();
            let key = planner.key(target);
            let own = planner.gets_own(key, target, dependency.with);
            if reachable.order.iter().all(|(known, _)| *known != key) {
                reachable.order.push((key, own));
            }
        }
    }
",
        )],
    ),
    mutant(
        "TeardownInSetupOrder",
        &[edit(
            TEST_RUN,
            "                self.ended
                    .borrow_mut()
                    .pop()
",
            "                let mut ended = self.ended.borrow_mut();
                (!ended.is_empty()).then(|| ended.remove(0))
",
        )],
    ),
    mutant(
        "RetryFailedSetup",
        &[edit(
            STORE,
            "if suits(&known, test).await {",
            "if suits(&known, test).await && known.value().await.is_ok() {",
        )],
    ),
    mutant(
        "FailureNotTornDown",
        &[edit(
            TEST_RUN,
            "        self.took(|took| took.setup += watch.took());
",
            "        self.took(|took| took.setup += watch.took());
        if !is_set_up {
            self.ended.borrow_mut().clear();
        }
",
        )],
    ),
    mutant(
        "StopAtFirstTeardownError",
        &[edit(
            TEST_RUN,
            "            self.teardown_failed(live.definition(), failures);
",
            "            let failed = !failures.is_empty();
            self.teardown_failed(live.definition(), failures);
            if failed {
                break;
            }
",
        )],
    ),
    mutant(
        "ModuleTornDownAtEnd",
        &[edit(
            LAST_TEST,
            "    if config.nextest {",
            "    if matches!(scope, ScopeKey::Module(_)) {
        return false;
    }
    if config.nextest {",
        )],
    ),
    mutant(
        "ModuleTornDownWithLastUser",
        &[
            edit(
                RUN,
                "if last_test::is_last(scope, config) {",
                "let uses = run.plan.steps.iter().any(|step| step.definition.scope == Scope::Module);
        if (uses || scope == last_test::scopes(run.meta)[1]) && last_test::is_last(scope, config) {",
            ),
            edit(
                LAST_TEST,
                "            *planned.counts.entry(scope).or_default() += 1;
",
                "            let uses = Config::get().is_ok_and(|config| {
                crate::fixture::plan::Plan::of(test, config).is_ok_and(|plan| {
                    let mut steps = plan.steps.iter();
                    steps.any(|step| step.definition.scope == crate::fixture::Scope::Module)
                })
            });
            if uses || scope == ScopeKey::Process {
                *planned.counts.entry(scope).or_default() += 1;
            }
",
            ),
        ],
    ),
    mutant(
        "TopLevelDepsBoundEarly",
        &[edit(
            PLAN,
            "            dependencies.push(self.request(dependency, stack)?);
",
            "            let target = (dependency.target)();
            let key = self.key(target);
            if stack.iter().any(|frame| frame.key == key) {
                dependencies.push(self.request(dependency, stack)?);
                continue;
            }
            let (late, active) = (self.chain(key), std::mem::take(&mut self.active));
            self.chains.insert(key, Chain::of(target));
            let early = self.step(key, false, None, stack);
            self.chains.insert(key, late);
            self.active = active;
            dependencies.push(early?);
",
        )],
    ),
    mutant(
        "AutouseOfDefinitionNotName",
        &[edit(
            VISIBILITY,
            "        let mut uses: Vec<_> = USES
",
            "        let overrides = &view.overrides;
        view.autouse.retain(|definition| {
            let chain = overrides.get(&Key(definition.root()));
            let nearest = chain.and_then(|chain| chain.last());
            nearest.is_none_or(|nearest| nearest.autouse)
        });
        let mut uses: Vec<_> = USES
",
        )],
    ),
    // pytest has one instance of a fixture, which looks at its dependencies again; here an instance
    // belongs to those it was built from.
    mutant(
        "CachedSkipsDeps",
        &[edit(
            STORE,
            "let ids: Vec<u64> = dependencies.iter().map(|from| from.shared.id).collect();",
            "let ids: Vec<u64> = Vec::new();",
        )],
    ),
    mutant(
        "CallRunsAfterFailedSetup",
        &[edit(
            TEST_RUN,
            "        if is_set_up {
",
            "        if is_set_up || self.plan.requests.iter().all(|place| self.is_ready(*place)) {
",
        )],
    ),
    mutant(
        "ModuleTeardownNotBlamed",
        &[edit(
            TEST_RUN,
            "            self.teardown_failed(shared.label.definition, failures);
",
            "            drop(failures);
",
        )],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_made_in_code_that_stands_there_once() {
        let core = concat!(env!("CARGO_MANIFEST_DIR"), "/../green-light-core/src/");
        let mut complaints = Vec::new();
        for mutant in MUTANTS {
            for Edit { file, from, .. } in mutant.edits {
                let text = std::fs::read_to_string(format!("{core}{file}")).unwrap_or_default();
                let count = text.matches(from).count();
                if count != 1 {
                    complaints.push(format!("{}: {file} has {count} times: {from}", mutant.name));
                }
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}
