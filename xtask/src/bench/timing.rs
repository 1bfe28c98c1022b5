//! What a run took, and what many runs say.

use std::time::{Duration, Instant};

/// What one test took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Time {
    /// By the clock.
    pub(crate) wall: Duration,
    /// Of processors. Where that cannot be known, by the clock.
    pub(crate) cpu: Duration,
}

/// Runs `work`, which waits for a process, and tells what one of its `parts` took.
pub(crate) fn time<T>(parts: u32, work: impl FnOnce() -> T) -> (T, Time) {
    let (before, begin) = (cpu(), Instant::now());
    let done = work();
    let (wall, after) = (begin.elapsed(), cpu());
    let cpu = match (before, after) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => wall,
    };
    let time = Time {
        wall: wall / parts,
        cpu: cpu / parts,
    };
    (done, time)
}

/// The processor time of all processes that were waited for.
#[cfg(unix)]
fn cpu() -> Option<Duration> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;

    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    let used = usage.user_time() + usage.system_time();
    u64::try_from(used.num_microseconds())
        .ok()
        .map(Duration::from_micros)
}

#[cfg(not(unix))]
fn cpu() -> Option<Duration> {
    None
}

/// The shortest by the clock: the one that was disturbed least.
pub(crate) fn best(times: &[Time]) -> Duration {
    times.iter().map(|time| time.wall).min().unwrap_or_default()
}

/// What one of `tests` tests takes besides the `first`, which its process had to begin for.
pub(crate) fn further(all: &[Time], tests: u32, first: &[Time]) -> Duration {
    let others = (best(all) * tests).saturating_sub(best(first));
    others / tests.saturating_sub(1).max(1)
}

/// The processor time in the middle.
pub(crate) fn middle(times: &[Time]) -> Duration {
    let mut times: Vec<Duration> = times.iter().map(|time| time.cpu).collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
