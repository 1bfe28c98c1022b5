//! When the tests of a process begin their work. From one to the next is a whole test, with what the
//! test runner and the end of the one and the beginning of the other cost, and without the start of the
//! process.

use std::{
    env, fs, mem,
    sync::{Mutex, PoisonError},
    time::Instant,
};

struct Clock {
    file: String,
    tests: usize,
    begun: Vec<Instant>,
}

/// `BENCH_TIMES` says where the times go, and `BENCH_TESTS` how many tests there are.
fn clock() -> Option<Clock> {
    let tests = env::var("BENCH_TESTS").ok()?.parse().ok()?;
    Some(Clock {
        file: env::var("BENCH_TIMES").ok()?,
        tests,
        begun: Vec::with_capacity(tests),
    })
}

/// A test begins its work. The last one writes down how many nanoseconds lie between each two.
pub fn tick() {
    static CLOCK: Mutex<Option<Option<Clock>>> = Mutex::new(None);
    let now = Instant::now();
    let mut kept = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(clock) = kept.get_or_insert_with(clock) else {
        return;
    };
    clock.begun.push(now);
    if clock.begun.len() == clock.tests {
        let begun = mem::take(&mut clock.begun);
        let between = begun.windows(2).map(|pair| pair[1] - pair[0]);
        let lines: Vec<_> = between.map(|time| time.as_nanos().to_string()).collect();
        fs::write(&clock.file, lines.join("\n")).expect("a file for the times");
    }
}
