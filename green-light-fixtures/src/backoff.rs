//! A bounded wait for something that other processes have, told of when it is long.

use std::time::{Duration, Instant};

use green_light_core::progress;

/// How long to wait before anything is said, and between two times that it is said.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait at all.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(crate) struct Waiting {
    started: Instant,
    told: Instant,
    turns: u32,
}

impl Waiting {
    pub(crate) fn new() -> Self {
        let started = Instant::now();
        Self {
            started,
            told: started,
            turns: 0,
        }
    }

    pub(crate) fn is_worth_it(&self) -> bool {
        self.started.elapsed() < LIMIT
    }

    pub(crate) fn is_to_be_told(&mut self) -> bool {
        let due = self.told.elapsed() >= PATIENCE;
        if due {
            self.told = Instant::now();
        }
        due
    }

    /// Waits a little, longer each time, and not as long as another process does.
    pub(crate) async fn pause(&mut self, what: impl FnOnce() -> String) {
        if self.is_to_be_told() {
            progress(&format!(
                "{} s: {}",
                self.started.elapsed().as_secs(),
                what()
            ));
        }
        self.turns += 1;
        let base = u64::from(self.turns.min(12)) * 5;
        let spread = u64::from(std::process::id().wrapping_mul(2_654_435_761) >> 24) % 20;
        tokio::time::sleep(Duration::from_millis(base + spread)).await;
    }
}
