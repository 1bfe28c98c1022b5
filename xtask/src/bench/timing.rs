//! What a run took, and what many runs say.

use std::time::{Duration, Instant};

/// What one test took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Time {
    /// By the clock.
    pub(crate) wall: Duration,
    /// Of processors. Where that cannot be known, by the clock.
    pub(crate) cpu: Duration,
    /// By the clock from the work of one test to the work of the next, in the middle of all that the
    /// process ran. Of tests that say when they begin.
    pub(crate) between: Option<Duration>,
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
        between: None,
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

/// From the work of one test to the work of the next, in the middle of all runs.
///
/// Of a process the middle is taken too, so neither its start counts, nor what disturbed some tests; and
/// those who take turns were disturbed alike.
pub(crate) fn between(times: &[Time]) -> Duration {
    in_the_middle(times.iter().filter_map(|time| time.between).collect())
}

/// The processor time in the middle.
pub(crate) fn middle(times: &[Time]) -> Duration {
    in_the_middle(times.iter().map(|time| time.cpu).collect())
}

/// Zero of none.
pub(crate) fn in_the_middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
