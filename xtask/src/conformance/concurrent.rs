//! What no schedule may change: alive when used, once per scope instance, dependents torn down first,
//! everything torn down, every teardown error reported by some test, the same outcomes.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::graph::{Case, Fixture};

/// Every difference between a run on one thread and one on several that a schedule does not explain.
pub(crate) fn differences(case: &Case, expected: &[Value], actual: &[Value]) -> Vec<String> {
    let mut found = Run::new(case).check(actual);
    let (expected, actual) = (View::of(case, expected), View::of(case, actual));
    expected.compare(&actual, &mut found);
    found
}

fn text<'a>(event: &'a Value, key: &str) -> &'a str {
    event[key].as_str().unwrap_or_default()
}

fn bare(value: &str) -> &str {
    value.split('#').next().unwrap_or(value)
}

fn module_of(test: &str) -> &str {
    test.split("::").next().unwrap_or(test)
}

fn values(map: &Value) -> Vec<String> {
    let map = map.as_object().into_iter().flatten();
    map.filter_map(|(_, value)| value.as_str().map(str::to_owned))
        .collect()
}

fn fixture_of<'a>(case: &'a Case, event: &Value) -> Option<&'a Fixture> {
    case.fixtures.iter().find(|fixture| {
        fixture.name == text(event, "fixture") && fixture.module.as_deref() == event["at"].as_str()
    })
}

/// The invariants of one run.
struct Run<'a> {
    case: &'a Case,
    /// Values by what they are of, the test they were made in, and what they were made of.
    alive: BTreeMap<String, (&'a Fixture, String, Vec<String>)>,
    dead: HashSet<String>,
    made: HashSet<(String, String, Vec<String>)>,
    /// Values of each test that have a teardown, in order.
    order: HashMap<String, Vec<String>>,
    unreported: Vec<(String, String)>,
    found: Vec<String>,
}

impl<'a> Run<'a> {
    fn new(case: &'a Case) -> Self {
        Self {
            case,
            alive: BTreeMap::new(),
            dead: HashSet::new(),
            made: HashSet::new(),
            order: HashMap::new(),
            unreported: Vec::new(),
            found: Vec::new(),
        }
    }

    fn check(mut self, trace: &[Value]) -> Vec<String> {
        for event in trace {
            match text(event, "ev") {
                "SETUP" => self.set_up(event),
                "TEARDOWN" => self.tear_down(event),
                "CALL" => {
                    for value in values(&event["got"]) {
                        self.uses(event, &value);
                    }
                }
                "OUTCOME" => self.outcome(event),
                _ => {}
            }
        }
        for (test, message) in &self.unreported {
            self.found
                .push(format!("{test}: no outcome reports `{message}`"));
        }
        for (value, (fixture, ..)) in &self.alive {
            if fixture.has_teardown {
                self.found.push(format!("{value} was never torn down"));
            }
        }
        self.found
    }

    fn bad(&mut self, event: &Value, what: &str) {
        self.found.push(format!("{what}: {event}"));
    }

    fn uses(&mut self, event: &Value, value: &str) {
        if !self.alive.contains_key(value) {
            self.bad(event, &format!("{value} is not alive"));
        }
    }

    fn set_up(&mut self, event: &Value) {
        let Some(fixture) = fixture_of(self.case, event) else {
            return self.bad(event, "unknown fixture");
        };
        let (value, during) = (text(event, "value"), text(event, "during"));
        let deps = values(&event["deps"]);
        for dep in &deps {
            self.uses(event, dep);
        }
        let scope = match fixture.scope.as_str() {
            "process" => "",
            "module" => module_of(during),
            _ => during,
        };
        // A shared value is kept apart by what it was made of (52).
        let apart = if fixture.width() > 0 {
            deps.clone()
        } else {
            Vec::new()
        };
        if !self
            .made
            .insert((bare(value).to_owned(), scope.to_owned(), apart))
        {
            self.bad(event, "a second set-up in the same scope");
        }
        if text(event, "result") != "ok" {
            return;
        }
        if self.alive.contains_key(value) || self.dead.contains(value) {
            self.bad(event, "a value made twice");
        }
        if fixture.width() == 0 && fixture.has_teardown {
            let order = self.order.entry(during.to_owned()).or_default();
            order.push(value.to_owned());
        }
        self.alive
            .insert(value.to_owned(), (fixture, during.to_owned(), deps));
    }

    fn tear_down(&mut self, event: &Value) {
        let (value, during) = (text(event, "value"), text(event, "during"));
        let Some((fixture, test, _)) = self.alive.remove(value) else {
            return self.bad(event, "torn down, but not alive");
        };
        self.dead.insert(value.to_owned());
        if text(event, "result") == "error" {
            // The rendered fixtures count their instances themselves, in another order.
            self.unreported
                .push((during.to_owned(), format!("teardown {}", bare(value))));
        }
        let dependents: Vec<String> = self
            .alive
            .iter()
            .filter(|(_, (by, _, deps))| by.has_teardown && deps.iter().any(|dep| dep == value))
            .map(|(dependent, _)| dependent.clone())
            .collect();
        for dependent in dependents {
            self.bad(event, &format!("{dependent} still depends on it"));
        }
        if fixture.width() == 0 {
            if during != test {
                self.bad(event, "torn down in another test");
            }
            if self.order.entry(test).or_default().pop().as_deref() != Some(value) {
                self.bad(event, "not in reverse order of set-up");
            }
        }
    }

    fn outcome(&mut self, event: &Value) {
        let test = text(event, "test");
        if self.order.get(test).is_some_and(|left| !left.is_empty()) {
            self.bad(event, "an outcome before the last teardown");
        }
        let reported = event["errors"]["teardown"].as_array();
        for message in reported.into_iter().flatten() {
            let message = bare(message.as_str().unwrap_or_default());
            let told = self
                .unreported
                .iter()
                .position(|(of, told)| of == test && told == message);
            if let Some(told) = told {
                self.unreported.swap_remove(told);
            }
        }
    }
}

/// What of a trace does not depend on the schedule.
#[derive(Default)]
struct View {
    /// The events of each test, in order.
    tests: BTreeMap<String, Vec<String>>,
    /// Which test is blamed for a shared teardown depends on which is the last.
    outcomes: BTreeMap<String, String>,
    shared: BTreeMap<String, usize>,
}

impl View {
    fn of(case: &Case, trace: &[Value]) -> Self {
        let mut view = Self::default();
        for event in trace {
            let (kind, value) = (text(event, "ev"), bare(text(event, "value")));
            let (during, result) = (text(event, "during"), text(event, "result"));
            let test = text(event, "test").to_owned();
            match kind {
                "OUTCOME" => {
                    let words = format!("{} {}", event["setup"], event["call"]);
                    view.outcomes.insert(test, words);
                }
                "CALL" => {
                    let mut got: Vec<String> = values(&event["got"]);
                    got.iter_mut()
                        .for_each(|value| *value = bare(value).to_owned());
                    let events = view.tests.entry(test).or_default();
                    events.push(format!("CALL {got:?}"));
                }
                "DYNAMIC" => {
                    let events = view.tests.entry(test).or_default();
                    events.push(format!("DYNAMIC {value}"));
                }
                _ => {
                    let width = fixture_of(case, event).map_or(0, Fixture::width);
                    if width == 0 {
                        let phase = text(event, "phase");
                        let events = view.tests.entry(during.to_owned()).or_default();
                        events.push(format!("{kind} {value} {result} {phase}"));
                    } else if kind == "SETUP" || result == "error" {
                        let module = if width == 1 { module_of(during) } else { "" };
                        let key = format!("{kind} {value} {result} {module}");
                        *view.shared.entry(key).or_default() += 1;
                    }
                }
            }
        }
        view
    }

    fn compare(&self, actual: &Self, found: &mut Vec<String>) {
        let pairs = [
            (
                format!("{:?}", self.outcomes),
                format!("{:?}", actual.outcomes),
            ),
            (format!("{:?}", self.tests), format!("{:?}", actual.tests)),
            (format!("{:?}", self.shared), format!("{:?}", actual.shared)),
        ];
        for (expected, actual) in pairs {
            if expected != actual {
                found.push(format!(
                    "with one thread {expected}\n  with several    {actual}"
                ));
            }
        }
    }
}
