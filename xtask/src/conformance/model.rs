//! What is expected of a graph, predicted without pytest: its algorithm, and green-light's where that
//! is better.
//!
//! It serves where there is no trace of pytest: filtered runs, and what green-light does otherwise.
//! Every run holds it against the traces of pytest that there are. Numbers are those of the items
//! in `src/docs/pytest.md`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::closure;
use super::fail::Fail;
use super::graph::{Case, Fixture, Test};

/// Whose rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// 52: a shared value is kept apart by what it was built from.
    pub(crate) keeps_overrides_apart: bool,
    /// 84: `xfail` is about the body alone.
    pub(crate) xfail_spares_fixtures: bool,
}

impl Rules {
    pub(crate) const PYTEST: Self = Self {
        keeps_overrides_apart: false,
        xfail_spares_fixtures: false,
    };
    pub(crate) const GREEN_LIGHT: Self = Self {
        keeps_overrides_apart: true,
        xfail_spares_fixtures: true,
    };
}

/// The events of `tests` of `case`, in the order of libtest.
pub(crate) fn predict(case: &Case, tests: &[&Test], rules: Rules) -> Vec<Value> {
    let mut tests = tests.to_vec();
    tests.sort_by_key(|test| test.full_name());
    let mut model = Model {
        case,
        rules,
        events: Vec::new(),
        counts: HashMap::new(),
        instances: Vec::new(),
        stack: Vec::new(),
        test: None,
        phase: "",
        active: HashMap::new(),
    };
    let names: Vec<String> = tests.iter().map(|test| test.full_name()).collect();
    model.emit(json!({"ev": "PLAN", "tests": names}));
    for (index, test) in tests.iter().enumerate() {
        model.run(test, tests.get(index + 1).copied());
    }
    model.events
}

#[derive(Clone, Copy)]
enum End {
    Finish(usize),
    Finalizer(usize, u64),
    Teardown(usize),
}

/// One instance of a fixture.
struct Instance<'a> {
    fixture: &'a Fixture,
    key: (Option<String>, Vec<usize>),
    value: String,
    /// `None` when it has ended.
    cached: Option<Result<(), Fail>>,
    ends: Vec<End>,
}

#[derive(Clone, PartialEq, Eq)]
enum Node {
    Process,
    Module(String),
    Test(String),
}

struct Model<'a> {
    case: &'a Case,
    rules: Rules,
    events: Vec<Value>,
    counts: HashMap<String, u32>,
    instances: Vec<Instance<'a>>,
    stack: Vec<(Node, Vec<End>)>,
    test: Option<&'a Test>,
    phase: &'static str,
    /// What a name means by now in the running test.
    active: HashMap<String, usize>,
}

impl<'a> Model<'a> {
    fn definitions(&self, name: &str) -> Vec<&'a Fixture> {
        let module = self.test.map(|test| test.module.as_str());
        self.case.definitions(name, module)
    }

    fn resolve(&mut self, name: &str, chain: &[&'a Fixture]) -> Result<usize, Fail> {
        if let Some(instance) = self.active.get(name) {
            return Ok(*instance);
        }
        let definitions = self.definitions(name);
        let outwards = chain.iter().filter(|fixture| fixture.name == name).count();
        let Some(index) = definitions.len().checked_sub(1 + outwards) else {
            return Err(Fail::error(format!("lookup: {name}")));
        };
        let instance = self.execute(definitions[index], chain)?;
        self.active.insert(name.to_owned(), instance);
        Ok(instance)
    }

    fn execute(&mut self, fixture: &'a Fixture, chain: &[&'a Fixture]) -> Result<usize, Fail> {
        let chain = [chain, &[fixture]].concat();
        let mut deps = Vec::new();
        for name in &fixture.deps {
            deps.push(self.resolve(name, &chain)?);
        }
        let module = self.test.map(|test| test.module.clone());
        let apart = self.rules.keeps_overrides_apart && fixture.scope != "test";
        let key = match fixture.scope.as_str() {
            "module" => (
                module.clone(),
                if apart { deps.clone() } else { Vec::new() },
            ),
            _ => (None, if apart { deps.clone() } else { Vec::new() }),
        };
        let known = self.instances.iter().position(|instance| {
            instance.cached.is_some()
                && std::ptr::eq(instance.fixture, fixture)
                && instance.key == key
        });
        if let Some(known) = known {
            return match self.instances[known].cached.clone() {
                Some(Err(fail)) => Err(fail),
                _ => Ok(known),
            };
        }
        let this = self.instances.len();
        let label = match &fixture.module {
            Some(module) => format!("{}@{module}", fixture.name),
            None => fixture.name.clone(),
        };
        let count = self.counts.entry(label.clone()).or_default();
        *count += 1;
        self.instances.push(Instance {
            fixture,
            key,
            value: format!("{label}#{count}"),
            cached: None,
            ends: Vec::new(),
        });
        for dep in &deps {
            self.instances[*dep].ends.push(End::Finish(this));
        }
        let result = self.body(this, &deps, &chain);
        let node = match fixture.scope.as_str() {
            "process" => Node::Process,
            "module" => Node::Module(module.unwrap_or_default()),
            _ => self.test_node(),
        };
        if let Some((_, ends)) = self.stack.iter_mut().find(|(known, _)| *known == node) {
            ends.push(End::Finish(this));
        }
        result.map(|()| this)
    }

    fn body(&mut self, this: usize, deps: &[usize], chain: &[&'a Fixture]) -> Result<(), Fail> {
        let fixture = self.instances[this].fixture;
        let value = self.instances[this].value.clone();
        for number in 0..fixture.finalizers {
            self.instances[this].ends.push(End::Finalizer(this, number));
        }
        let mut got = Map::new();
        for (name, dep) in fixture.deps.iter().zip(deps) {
            got.insert(name.clone(), json!(self.instances[*dep].value));
        }
        let mut failed = None;
        for name in &fixture.dynamic {
            match self.resolve(name, chain) {
                Ok(dep) => drop(got.insert(name.clone(), json!(self.instances[dep].value))),
                Err(fail) => {
                    failed = Some(fail);
                    break;
                }
            }
        }
        let failed = failed.or_else(|| {
            ["setup", "skip"]
                .contains(&fixture.fails_in.as_str())
                .then(|| Fail {
                    messages: vec![format!("setup {value}")],
                    is_skip: fixture.fails_in == "skip",
                })
        });
        let word = match &failed {
            None => "ok",
            Some(fail) if fail.is_skip => "skip",
            Some(_) => "error",
        };
        self.emit(json!({
            "ev": "SETUP", "fixture": fixture.name, "at": fixture.module, "value": value,
            "deps": got, "result": word, "during": self.during(), "phase": self.phase,
        }));
        if let Some(fail) = failed {
            self.instances[this].cached = Some(Err(fail.clone()));
            return Err(fail);
        }
        self.instances[this].cached = Some(Ok(()));
        if fixture.has_teardown {
            self.instances[this].ends.push(End::Teardown(this));
        }
        Ok(())
    }

    fn end(&mut self, end: End) -> Result<(), Fail> {
        let (End::Finish(this) | End::Finalizer(this, _) | End::Teardown(this)) = end;
        let fixture = self.instances[this].fixture;
        let value = self.instances[this].value.clone();
        match end {
            End::Finish(_) => {
                if self.instances[this].cached.is_none() {
                    return Ok(());
                }
                let mut fails = Vec::new();
                while let Some(end) = self.instances[this].ends.pop() {
                    fails.extend(self.end(end).err());
                }
                self.instances[this].cached = None;
                Fail::group(fails)
            }
            End::Finalizer(_, number) => {
                self.emit(json!({
                    "ev": "FINALIZER", "fixture": fixture.name, "at": fixture.module,
                    "value": value, "i": number, "during": self.during(), "phase": self.phase,
                }));
                Ok(())
            }
            End::Teardown(_) => {
                let fails = fixture.fails_in == "teardown";
                self.emit(json!({
                    "ev": "TEARDOWN", "fixture": fixture.name, "at": fixture.module,
                    "value": value, "result": if fails { "error" } else { "ok" },
                    "during": self.during(), "phase": self.phase,
                }));
                if fails {
                    return Err(Fail::error(format!("teardown {value}")));
                }
                Ok(())
            }
        }
    }

    fn set_up(&mut self, test: &'a Test) -> Result<(), Fail> {
        for node in [
            Node::Process,
            Node::Module(test.module.clone()),
            Node::Test(test.full_name()),
        ] {
            if self.stack.iter().all(|(known, _)| *known != node) {
                self.stack.push((node, Vec::new()));
            }
        }
        for name in closure::of(self.case, test) {
            self.resolve(&name, &[])?;
        }
        Ok(())
    }

    fn call(&mut self, test: &'a Test) -> Result<(), Fail> {
        let got: Map<String, Value> = test
            .requests
            .iter()
            .map(|name| (name.clone(), json!(self.instances[self.active[name]].value)))
            .collect();
        let id = test.full_name();
        self.emit(json!({"ev": "CALL", "test": id, "got": got}));
        for name in &test.dynamic {
            let instance = self.resolve(name, &[])?;
            let value = self.instances[instance].value.clone();
            self.emit(json!({"ev": "DYNAMIC", "test": id, "name": name, "value": value}));
        }
        if test.skips || test.fails {
            return Err(Fail {
                messages: vec![format!("call {id}")],
                is_skip: test.skips,
            });
        }
        Ok(())
    }

    fn tear_down(&mut self, next: Option<&Test>) -> Result<(), Fail> {
        let mut keep = Vec::new();
        if let Some(next) = next {
            keep = vec![Node::Process, Node::Module(next.module.clone())];
        }
        let mut fails = Vec::new();
        while self.stack.len() > keep.len()
            || self
                .stack
                .iter()
                .map(|(node, _)| node)
                .ne(&keep[..self.stack.len()])
        {
            let Some(top) = self.stack.len().checked_sub(1) else {
                break;
            };
            let mut mine = Vec::new();
            while let Some(end) = self.stack[top].1.pop() {
                mine.extend(self.end(end).err());
            }
            self.stack.pop();
            fails.extend(Fail::group(mine).err());
        }
        Fail::group(fails)
    }

    fn run(&mut self, test: &'a Test, next: Option<&Test>) {
        self.test = Some(test);
        self.active.clear();
        let mut errors = Map::new();
        self.phase = "setup";
        let setup = self.set_up(test);
        let setup = self.word(test, setup, &mut errors);
        let mut call = None;
        if setup == "passed" {
            self.phase = "call";
            let result = self.call(test);
            call = Some(self.word(test, result, &mut errors));
        }
        self.phase = "teardown";
        let teardown = self.tear_down(next);
        let teardown = self.word(test, teardown, &mut errors);
        let outcome = if call == Some("failed") {
            "failed"
        } else if setup == "failed" || teardown == "failed" {
            "error"
        } else {
            call.unwrap_or(setup)
        };
        self.emit(json!({
            "ev": "OUTCOME", "test": test.full_name(), "outcome": outcome, "setup": setup,
            "call": call, "teardown": teardown, "errors": errors,
        }));
    }

    fn word(
        &self,
        test: &Test,
        result: Result<(), Fail>,
        errors: &mut Map<String, Value>,
    ) -> &'static str {
        let in_call = self.phase == "call";
        match result {
            Err(fail) => {
                errors.insert(self.phase.to_owned(), json!(fail.messages));
                let covered = in_call || !self.rules.xfail_spares_fixtures;
                match test.xfail.as_str() {
                    _ if fail.is_skip => "skipped",
                    "xfail" | "strict" if covered => "xfailed",
                    _ => "failed",
                }
            }
            Ok(()) if in_call && test.xfail == "strict" => {
                errors.insert(self.phase.to_owned(), json!(["XPASS(strict)"]));
                "failed"
            }
            Ok(()) if in_call && test.xfail == "xfail" => "xpassed",
            Ok(()) => "passed",
        }
    }

    fn during(&self) -> String {
        self.test.map(Test::full_name).unwrap_or_default()
    }

    fn test_node(&self) -> Node {
        Node::Test(self.during())
    }

    fn emit(&mut self, event: Value) {
        self.events.push(event);
    }
}
