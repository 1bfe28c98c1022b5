//! What the lanes did all the time: how much of it ran tests, and to what the rest was lost.
//!
//! All lanes together have `lanes * took` seconds. Every second of that is in one [`Share`].

use std::collections::BTreeMap;

use serde::Serialize;

use crate::timeline::run::{Run, StepKind, Test};

/// How many causes are named.
const NAMED: usize = 5;

/// A part of the time of all lanes.
#[derive(Debug, Serialize)]
pub(crate) struct Share {
    pub(crate) what: Use,
    /// What it is, in words.
    pub(crate) label: &'static str,
    /// Of all lanes together.
    pub(crate) seconds: f64,
    /// Of the time that all lanes have: 0 to 1.
    pub(crate) part: f64,
    /// What helps against it; empty for what a test is for.
    pub(crate) cure: &'static str,
    /// What took most of it.
    pub(crate) causes: Vec<Cause>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Cause {
    pub(crate) name: String,
    pub(crate) seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Use {
    Body,
    Setup,
    Teardown,
    /// For what other tests have or make.
    Wait,
    /// A lane is empty because the last tests of a program run elsewhere.
    Tail,
    /// A program has less tests than there are lanes.
    Few,
    /// No test runs at all.
    Between,
    /// From the end of a test to the begin of the next.
    Runner,
}

impl Use {
    const ALL: [Self; 8] = [
        Self::Body,
        Self::Setup,
        Self::Teardown,
        Self::Wait,
        Self::Tail,
        Self::Few,
        Self::Between,
        Self::Runner,
    ];

    pub(crate) fn is_lost(self) -> bool {
        !matches!(self, Self::Body | Self::Setup | Self::Teardown)
    }

    fn label(self) -> &'static str {
        match self {
            Self::Body => "test bodies",
            Self::Setup => "set-up of fixtures",
            Self::Teardown => "teardown of fixtures",
            Self::Wait => "waits for other tests",
            Self::Tail => "lanes empty at the end of a program",
            Self::Few => "lanes empty beside a small program",
            Self::Between => "no test at all, between programs",
            Self::Runner => "between a test and the next",
        }
    }

    fn cure(self) -> &'static str {
        match self {
            Self::Body | Self::Setup | Self::Teardown => "",
            Self::Wait => {
                "a test waits until another has made a fixture that they share, or gives back a connection or the \
                 shared database: make the set-up of that fixture faster; let tests open smaller pools, or raise \
                 `max_connections` of the server; write `isolation = database` instead of `shared`"
            }
            Self::Tail => {
                "most lanes have no test left while the last ones run, which are named here: split them, or let them \
                 begin first; libtest runs tests in the order of their names, nextest by `priority` in its configuration"
            }
            Self::Few => {
                "`cargo test` runs one program after the other, and those named here have fewer tests than there are \
                 lanes: make the files of `tests/` modules of one, `tests/it/main.rs`; or use nextest"
            }
            Self::Between => {
                "one test program instead of many, or nextest; look also for what a program does before its first test"
            }
            Self::Runner => {
                "this is what the runner does: libtest starts a thread for each test, nextest a process, which loads the \
                 program again; larger tests need less of it"
            }
        }
    }
}

/// What became of the time of all lanes. Those without any are left out.
pub(crate) fn shares(run: &Run) -> Vec<Share> {
    let mut sums: BTreeMap<Use, BTreeMap<String, f64>> = BTreeMap::new();
    let mut add = |what: Use, cause: String, seconds: f64| {
        if seconds > 0.0 {
            *sums.entry(what).or_default().entry(cause).or_default() += seconds;
        }
    };
    for test in &run.tests {
        add(Use::Body, test.name.clone(), test.body);
        add_steps(test, &mut add);
    }
    add_empty(run, &mut add);
    let all: f64 = (run.lanes as f64 * run.took).max(f64::MIN_POSITIVE);
    let share = |what: Use| {
        let causes = sums.get(&what)?;
        let seconds: f64 = causes.values().sum();
        let causes = causes.iter().map(|(name, seconds)| Cause {
            name: name.clone(),
            seconds: *seconds,
        });
        let mut causes: Vec<_> = causes.filter(|cause| !cause.name.is_empty()).collect();
        causes.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
        causes.truncate(NAMED);
        Some(Share {
            what,
            label: what.label(),
            seconds,
            part: seconds / all,
            cure: what.cure(),
            causes,
        })
    };
    Use::ALL.into_iter().filter_map(share).collect()
}

/// Set-up, teardown and waits of a test, each by its fixture.
fn add_steps(test: &Test, add: &mut impl FnMut(Use, String, f64)) {
    for (kind, what, whole) in [
        (StepKind::Setup, Use::Setup, test.setup),
        (StepKind::Teardown, Use::Teardown, test.teardown),
        (StepKind::Wait, Use::Wait, test.waited),
    ] {
        let steps = test.steps.iter().filter(|step| step.kind == kind);
        let named: Vec<(String, f64)> = steps
            .map(|step| (step.name.clone(), step.ended - step.began))
            .collect();
        // They may overlap one another and the body, and set-ups contain waits.
        let sum: f64 = named.iter().map(|(_, seconds)| seconds).sum();
        let factor = if sum > whole { whole / sum } else { 1.0 };
        for (name, seconds) in named {
            add(what, name, seconds * factor);
        }
        add(what, String::new(), whole - sum * factor);
    }
}

/// The time of empty lanes.
fn add_empty(run: &Run, add: &mut impl FnMut(Use, String, f64)) {
    let lanes = run.lanes as f64;
    let mut programs: Vec<_> = run.programs.iter().enumerate().collect();
    programs.sort_by(|(_, a), (_, b)| a.began.total_cmp(&b.began));
    let mut reached = 0.0;
    for (number, program) in programs {
        add(
            Use::Between,
            String::new(),
            (program.began - reached) * lanes,
        );
        for lane in 0..run.lanes {
            let tests = run.tests.iter();
            let tests = tests.filter(|test| test.program == number && test.lane == lane);
            let mut last = None;
            for test in tests {
                let before = last.map_or(program.began, |last: &Test| last.ended);
                add(Use::Runner, String::new(), test.began - before.max(reached));
                last = Some(test);
            }
            match last {
                Some(last) => {
                    let name = longest_after(run, number, last.ended);
                    add(Use::Tail, name, program.ended - last.ended.max(reached));
                }
                None => add(
                    Use::Few,
                    program.name.clone(),
                    program.ended - program.began.max(reached),
                ),
            }
        }
        reached = program.ended.max(reached);
    }
    add(Use::Between, String::new(), (run.took - reached) * lanes);
}

/// The test of a program that ends last of those that run after `moment`.
fn longest_after(run: &Run, program: usize, moment: f64) -> String {
    let tests = run.tests.iter();
    let tests = tests.filter(|test| test.program == program && test.ended > moment);
    let last = tests.max_by(|a, b| a.ended.total_cmp(&b.ended));
    last.map_or_else(String::new, |test| test.name.clone())
}
