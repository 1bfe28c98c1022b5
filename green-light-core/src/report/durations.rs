//! How long things take: for the event log, and for `GREEN_LIGHT_SHOW=durations`, which lists the
//! slowest at the end of the process.

use std::fmt::Write;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::config::{Config, Show};
use crate::mutex::Mutex;
use crate::report::events;
use crate::report::print::say_to_terminal;

/// How many are listed.
const SHOWN: usize = 10;

/// Measures, if events are written or the slowest are listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch(Option<Instant>);

impl Watch {
    pub(crate) fn start() -> Self {
        Self((events::enabled() || listed()).then(Instant::now))
    }

    pub(crate) fn took(self) -> Duration {
        self.0.map_or(Duration::ZERO, |began| began.elapsed())
    }
}

struct Entry {
    took: Duration,
    what: String,
}

static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

fn listed() -> bool {
    static LISTED: OnceLock<bool> = OnceLock::new();
    *LISTED.get_or_init(|| Config::get().is_ok_and(|config| config.show == Show::Durations))
}

/// Notes how long something took, if the slowest are asked for.
pub(crate) fn note(took: Duration, what: impl FnOnce() -> String) {
    if listed() {
        let what = what();
        let mut entries = ENTRIES.lock();
        entries.push(Entry { took, what });
    }
}

/// Prints the slowest, if they are asked for.
pub(crate) fn print() {
    let mut entries = ENTRIES.lock();
    if entries.is_empty() {
        return;
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.took));
    let (all, shown) = (entries.len(), entries.len().min(SHOWN));
    let mut text = format!("slowest durations ({shown} of {all})");
    for entry in entries.iter().take(SHOWN) {
        let _ = write!(text, "\n{:>9.3}s {}", entry.took.as_secs_f64(), entry.what);
    }
    say_to_terminal(&text);
}
