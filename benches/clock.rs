//! When the tests of a process begin their work. From one to the next is a whole test, with what the
//! test runner and the end of the one and the beginning of the other cost, and without the start of the
//! process.

use std::{
    env, fs, mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

static CLOCK: Mutex<Option<Option<Clock>>> = Mutex::new(None);

struct Clock {
    file: String,
    tests: usize,
    begun: Vec<Instant>,
    /// For how long each test had nothing to do.
    paused: Vec<Duration>,
}

/// `BENCH_TIMES` says where the times go, and `BENCH_TESTS` how many tests there are.
fn clock() -> Option<Clock> {
    let tests = env::var("BENCH_TESTS").ok()?.parse().ok()?;
    Some(Clock {
        file: env::var("BENCH_TIMES").ok()?,
        tests,
        begun: Vec::with_capacity(tests),
        paused: Vec::with_capacity(tests),
    })
}

/// A test begins its work. The last one writes down how many nanoseconds lie between each two.
pub fn tick() {
    let now = Instant::now();
    with(|clock| {
        clock.begun.push(now);
        clock.paused.push(Duration::ZERO);
        if clock.begun.len() == clock.tests {
            let begun = mem::take(&mut clock.begun);
            let times = begun.windows(2).zip(&clock.paused);
            let times = times.map(|(pair, paused)| (pair[1] - pair[0]).saturating_sub(*paused));
            let lines: Vec<_> = times.map(|time| time.as_nanos().to_string()).collect();
            fs::write(&clock.file, lines.join("\n")).expect("a file for the times");
        }
    });
}

/// The test had nothing to do for so long, which does not count.
pub fn paused(time: Duration) {
    with(|clock| {
        if let Some(paused) = clock.paused.last_mut() {
            *paused += time;
        }
    });
}

fn with(work: impl FnOnce(&mut Clock)) {
    let mut kept = CLOCK.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(clock) = kept.get_or_insert_with(clock) {
        work(clock);
    }
}
