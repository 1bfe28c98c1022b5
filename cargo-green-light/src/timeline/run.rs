//! A run: its tests with their phases, made of events.

use std::collections::HashMap;

use serde::Serialize;

use crate::events::Event;

/// Events are written in microseconds.
const GRAIN: f64 = 1e-6;

/// All that is known of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    /// Whose tests.
    pub(crate) title: String,
    /// When its first test began, in seconds since 1970. All other times count from here.
    pub(crate) began: f64,
    /// How long it took, from the begin of the first test to the end of the last.
    pub(crate) took: f64,
    /// How many tests have run at the same time, at most.
    pub(crate) lanes: usize,
    pub(crate) programs: Vec<Program>,
    pub(crate) tests: Vec<Test>,
}

/// What ran one after the other: a test program of `cargo test`, or all processes of nextest.
#[derive(Debug, Serialize)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) runner: String,
    pub(crate) began: f64,
    pub(crate) ended: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Test {
    pub(crate) name: String,
    /// Its number in `programs`.
    pub(crate) program: usize,
    pub(crate) process: u32,
    pub(crate) lane: usize,
    pub(crate) began: f64,
    pub(crate) ended: f64,
    /// `passed`, `failed`, `error`, `skipped`, `xfailed`, `xpassed`; `unfinished` if its process has ended before it.
    pub(crate) outcome: String,
    pub(crate) errors: Vec<String>,
    /// How long each phase took, without the waits in it.
    pub(crate) setup: f64,
    pub(crate) body: f64,
    pub(crate) teardown: f64,
    pub(crate) waited: f64,
    /// When the body began and ended, if it did.
    pub(crate) called: Option<(f64, f64)>,
    pub(crate) steps: Vec<Step>,
}

/// The set-up or the teardown of a fixture, or a wait.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) kind: StepKind,
    /// The fixture, or what was waited for.
    pub(crate) name: String,
    /// Of the fixture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
    pub(crate) began: f64,
    pub(crate) ended: f64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StepKind {
    Setup,
    Teardown,
    Wait,
}

impl Test {
    pub(crate) fn took(&self) -> f64 {
        self.ended - self.began
    }
}

/// A test whose outcome has not been read yet.
#[derive(Default)]
struct Open {
    called: Option<f64>,
    steps: Vec<Step>,
    last: f64,
}

/// Makes a run of `events`, without lanes.
pub(crate) fn of(title: String, events: &[Event]) -> Run {
    let mut reading = Reading::default();
    for event in events {
        reading.read(event);
    }
    reading.finish(title)
}

#[derive(Default)]
struct Reading {
    programs: Vec<Program>,
    /// The program of each process.
    of_process: HashMap<u32, usize>,
    open: HashMap<(u32, String), Open>,
    tests: Vec<Test>,
    /// Waits of fixtures that tests share: their process, and the wait.
    shared_waits: Vec<(u32, Step)>,
}

impl Reading {
    fn read(&mut self, event: &Event) {
        let process = event.process();
        match event.kind.as_str() {
            "PLAN" => self.plan(event),
            "SETUP" => self.step(event, StepKind::Setup),
            "TEARDOWN" | "FINALIZER" => self.step(event, StepKind::Teardown),
            "WAIT" => self.step(event, StepKind::Wait),
            "CALL" => {
                if let Some(test) = &event.test {
                    let open = self.open.entry((process, test.clone())).or_default();
                    open.called = Some(event.time);
                    open.last = event.time;
                }
            }
            "OUTCOME" => self.outcome(event),
            // Dynamic requests, and what later versions write.
            _ => {}
        }
    }

    fn plan(&mut self, event: &Event) {
        let runner = event.runner.as_deref().unwrap_or("cargo");
        let program = event.program.as_deref().unwrap_or("tests");
        let name = match runner {
            "nextest" => "nextest",
            _ => without_hash(program),
        };
        let known = (runner == "nextest")
            .then(|| {
                self.programs
                    .iter()
                    .position(|known| known.runner == runner)
            })
            .flatten();
        let program = known.unwrap_or_else(|| self.add_program(name, runner));
        self.of_process.insert(event.process(), program);
    }

    fn add_program(&mut self, name: &str, runner: &str) -> usize {
        self.programs.push(Program {
            name: name.to_owned(),
            runner: runner.to_owned(),
            began: f64::INFINITY,
            ended: f64::NEG_INFINITY,
        });
        self.programs.len() - 1
    }

    fn step(&mut self, event: &Event, kind: StepKind) {
        let name = event.fixture.as_ref().or(event.wanted.as_ref());
        let step = Step {
            kind,
            name: name.cloned().unwrap_or_default(),
            scope: event.scope.clone(),
            began: event.time - event.took(),
            ended: event.time,
            failed: event.result.as_deref() == Some("error"),
        };
        match event.during.as_ref().or(event.test.as_ref()) {
            Some(test) => {
                let open = self
                    .open
                    .entry((event.process(), test.clone()))
                    .or_default();
                open.last = event.time;
                open.steps.push(step);
            }
            None => self.shared_waits.push((event.process(), step)),
        }
    }

    fn outcome(&mut self, event: &Event) {
        let Some(name) = &event.test else { return };
        let open = self.open.remove(&(event.process(), name.clone()));
        let open = open.unwrap_or_default();
        let (setup, call) = (event.phase("setup"), event.phase("call"));
        let measured = setup + call + event.phase("teardown");
        let began = event.began.unwrap_or(event.time - measured);
        let called = open.called.map(|called| (called, called + call));
        let mut errors = Vec::new();
        for phase in ["setup", "call", "teardown"] {
            errors.extend(event.errors.get(phase).into_iter().flatten().cloned());
        }
        let outcome = event.outcome.clone().unwrap_or_default();
        self.push(
            event.process(),
            name,
            (began, event.time),
            called,
            open.steps,
            outcome,
            errors,
        );
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of a test, from two places"
    )]
    fn push(
        &mut self,
        process: u32,
        name: &str,
        (began, ended): (f64, f64),
        called: Option<(f64, f64)>,
        steps: Vec<Step>,
        outcome: String,
        errors: Vec<String>,
    ) {
        let program = match self.of_process.get(&process) {
            Some(program) => *program,
            // Its tests could not be listed.
            None => {
                let program = self.add_program("tests", "cargo");
                self.of_process.insert(process, program);
                program
            }
        };
        self.tests.push(Test {
            name: name.to_owned(),
            program,
            process,
            lane: 0,
            began,
            ended,
            outcome,
            errors,
            setup: 0.0,
            body: 0.0,
            teardown: 0.0,
            waited: 0.0,
            called: called.map(|(from, to)| (from.max(began), to.min(ended))),
            steps,
        });
    }

    fn finish(mut self, title: String) -> Run {
        let mut open: Vec<_> = self.open.drain().collect();
        open.sort_by(|(a, _), (b, _)| a.cmp(b));
        for ((process, name), open) in open {
            let has_ended = self
                .tests
                .iter()
                .any(|test| test.process == process && test.name == name);
            // What ends with the process does so in the name of its last test.
            if has_ended {
                continue;
            }
            let steps = open.steps.iter().map(|step| step.began);
            let began = steps.chain(open.called).fold(open.last, f64::min);
            let called = open.called.map(|called| (called, open.last));
            let outcome = "unfinished".to_owned();
            let error = "its process ended before it did, or wrote no more events".to_owned();
            self.push(
                process,
                &name,
                (began, open.last),
                called,
                open.steps,
                outcome,
                vec![error],
            );
        }
        for (process, wait) in std::mem::take(&mut self.shared_waits) {
            self.place(process, wait);
        }
        let began = self.tests.iter().map(|test| test.began);
        let began = began.fold(f64::INFINITY, f64::min);
        self.tests.sort_by(|a, b| a.began.total_cmp(&b.began));
        for test in &mut self.tests {
            shift(test, began);
            measure(test);
            let program = &mut self.programs[test.program];
            program.began = program.began.min(test.began);
            program.ended = program.ended.max(test.ended);
        }
        self.drop_empty_programs();
        let ended = self.tests.iter().map(|test| test.ended);
        Run {
            title,
            began: if began.is_finite() { began } else { 0.0 },
            took: ended.fold(0.0, f64::max),
            lanes: 0,
            programs: self.programs,
            tests: self.tests,
        }
    }

    /// Gives the wait of a fixture that tests share to the test for which it was set up.
    fn place(&mut self, process: u32, wait: Step) {
        let sets_up = |step: &Step| {
            step.kind == StepKind::Setup
                && step.scope.as_deref() != Some("test")
                && step.began <= wait.began + GRAIN
                && wait.ended <= step.ended + GRAIN
        };
        let mut tests = self.tests.iter_mut();
        let test = tests.find(|test| test.process == process && test.steps.iter().any(sets_up));
        if let Some(test) = test {
            test.steps.push(wait);
        }
    }

    /// A program without a test of ours: all of them were filtered out.
    fn drop_empty_programs(&mut self) {
        let mut kept = Vec::new();
        let mut numbers = Vec::new();
        for program in self.programs.drain(..) {
            numbers.push(kept.len());
            if program.began.is_finite() {
                kept.push(program);
            }
        }
        self.programs = kept;
        for test in &mut self.tests {
            test.program = numbers[test.program];
        }
    }
}

/// Cargo adds a hash to the names of test programs.
fn without_hash(program: &str) -> &str {
    match program.rsplit_once('-') {
        Some((name, hash))
            if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            name
        }
        _ => program,
    }
}

/// Counts the times of a test from `zero`.
fn shift(test: &mut Test, zero: f64) {
    test.began -= zero;
    test.ended -= zero;
    if let Some((from, to)) = &mut test.called {
        *from -= zero;
        *to -= zero;
    }
    for step in &mut test.steps {
        step.began = (step.began - zero).max(test.began);
        step.ended = (step.ended - zero).min(test.ended).max(step.began);
    }
    test.steps.sort_by(|a, b| a.began.total_cmp(&b.began));
}

/// Finds how long the phases took, and the waits.
fn measure(test: &mut Test) {
    let body = test.called.unwrap_or((test.ended, test.ended));
    let phases = [(test.began, body.0), body, (body.1, test.ended)];
    let waits: Vec<_> = test
        .steps
        .iter()
        .filter(|step| step.kind == StepKind::Wait)
        .map(|step| (step.began, step.ended))
        .collect();
    let [setup, body, teardown] = phases.map(|phase| phase.1 - phase.0 - covered(phase, &waits));
    test.setup = setup.max(0.0);
    test.body = body.max(0.0);
    test.teardown = teardown.max(0.0);
    test.waited = covered((test.began, test.ended), &waits);
}

/// How much of `within` the `spans`, which are sorted by their begin, cover together.
fn covered(within: (f64, f64), spans: &[(f64, f64)]) -> f64 {
    let (mut sum, mut reached) = (0.0, within.0);
    for (from, to) in spans {
        let (from, to) = (from.max(reached), to.min(within.1));
        if to > from {
            sum += to - from;
            reached = to;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_counts_once() {
        let spans = [(0.0, 2.0), (1.0, 3.0), (5.0, 9.0)];
        assert!((covered((1.0, 6.0), &spans) - 3.0).abs() < GRAIN);
        assert!(covered((3.0, 5.0), &spans).abs() < GRAIN);
    }

    #[test]
    fn a_program_is_named_without_the_hash_of_cargo() {
        assert_eq!(without_hash("web-app-0123456789abcdef"), "web-app");
        assert_eq!(without_hash("web-app"), "web-app");
    }
}
