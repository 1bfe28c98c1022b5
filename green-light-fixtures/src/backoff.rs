//! A bounded wait for something that another process has. A long wait is reported.

use std::time::{Duration, Instant};

use green_light_core::progress;

/// How long to wait before the wait is reported, and between two reports.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait at all.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(crate) struct Backoff {
    started: Instant,
    reported: Instant,
    pauses: u32,
    limit: Duration,
}

impl Backoff {
    #[allow(dead_code, reason = "what servers have is waited for so long")]
    pub(crate) fn new() -> Self {
        Self::within(LIMIT)
    }

    /// One that expires after `limit`.
    pub(crate) fn within(limit: Duration) -> Self {
        let started = Instant::now();
        Self {
            started,
            reported: started,
            pauses: 0,
            limit,
        }
    }

    /// The time that is waited begins again.
    #[allow(dead_code, reason = "what servers have is waited for so")]
    pub(crate) fn begin_again(&mut self) {
        self.started = Instant::now();
    }

    /// Whether it has been so long that waiting on makes no sense.
    pub(crate) fn expired(&self) -> bool {
        self.started.elapsed() >= self.limit
    }

    /// Whether it is time to report what is waited for; not again for some seconds.
    pub(crate) fn should_report(&mut self) -> bool {
        let due = self.reported.elapsed() >= PATIENCE;
        if due {
            self.reported = Instant::now();
        }
        due
    }

    /// Sleeps a little: longer each time, and for another time than other processes do. `what` is for the report.
    pub(crate) async fn pause(&mut self, what: impl FnOnce() -> String) {
        if self.should_report() {
            progress(&format!(
                "{} s: {}",
                self.started.elapsed().as_secs(),
                what()
            ));
        }
        self.pause_silently().await;
    }

    /// Sleeps as long, without a report.
    pub(crate) async fn pause_silently(&mut self) {
        self.pauses += 1;
        let base = u64::from(self.pauses.min(12)) * 5;
        let spread = u64::from(std::process::id().wrapping_mul(2_654_435_761) >> 24) % 20;
        tokio::time::sleep(Duration::from_millis(base + spread)).await;
    }
}
