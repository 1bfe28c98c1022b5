//! `GREEN_LIGHT_EVENTS=FILE`: one JSON line for each thing that happens.
//!
//! `PLAN` comes first: the tests that will run. `SETUP` is written when a set-up ends, `TEARDOWN` when teardown code has run, `WAIT` when a
//! test has waited for what others have or make, `OUTCOME` after a test's last phase. Each has the `process` that wrote it, the `time` at
//! which it did, and how long it `took`, in seconds. Lines are appended whole, so several threads and processes may share a file.
//! `cargo green-light timeline` reads it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::config::Config;
use crate::mutex::Mutex;
use crate::report::failure::Failure;
use crate::report::print::say_to_terminal;
use crate::report::redact::text::redacted;

/// The open file; `None` without `GREEN_LIGHT_EVENTS`.
static FILE: OnceLock<Result<Option<Mutex<File>>, Failure>> = OnceLock::new();

fn file() -> Result<Option<&'static Mutex<File>>, &'static Failure> {
    FILE.get_or_init(|| {
        let Some(path) = &Config::get().map_err(Failure::new)?.events else { return Ok(None) };
        match OpenOptions::new().create(true).append(true).open(path) {
            Ok(file) => Ok(Some(Mutex::new(file))),
            Err(error) => Err(Failure::new(format!(
                "the event file `{}` cannot be opened: {error}\n  \
                 help: set `GREEN_LIGHT_EVENTS` to a file in a directory that exists and can be written, or unset it",
                path.display()
            ))),
        }
    })
    .as_ref()
    .map(Option::as_ref)
}

/// Opens the event file, if one is asked for.
///
/// # Errors
///
/// If it cannot be opened.
pub(crate) fn open_event_file() -> Result<(), Failure> {
    file().map(drop).map_err(Clone::clone)
}

/// Whether events are written at all; building them costs more than this question.
pub(crate) fn enabled() -> bool {
    matches!(file(), Ok(Some(_)))
}

/// The time, in seconds since 1970, so that several processes may share a file. The clock of the system may be set back
/// meanwhile; this one is not.
pub(crate) fn now() -> Duration {
    static BEGAN: LazyLock<(Duration, Instant)> = LazyLock::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        (now.unwrap_or_default(), Instant::now())
    });
    BEGAN.0 + BEGAN.1.elapsed()
}

/// An event being built. Keys keep the order they are added in.
pub(crate) struct Event(String);

impl Event {
    pub(crate) fn new(kind: &str) -> Self {
        Self(format!("{{\"ev\":{}", quoted(kind)))
    }

    pub(crate) fn text(mut self, key: &str, value: &str) -> Self {
        self.push(key, &quoted(value));
        self
    }

    pub(crate) fn optional(mut self, key: &str, value: Option<&str>) -> Self {
        self.push(key, &value.map_or_else(|| "null".to_owned(), quoted));
        self
    }

    pub(crate) fn number(mut self, key: &str, value: usize) -> Self {
        self.push(key, &value.to_string());
        self
    }

    pub(crate) fn seconds(mut self, key: &str, seconds: Duration) -> Self {
        self.push(key, &format!("{:.6}", seconds.as_secs_f64()));
        self
    }

    /// How long each phase took.
    pub(crate) fn took(mut self, phases: &[(&str, Duration)]) -> Self {
        let phases: Vec<String> = phases
            .iter()
            .map(|(phase, took)| format!("{}:{:.6}", quoted(phase), took.as_secs_f64()))
            .collect();
        self.push("took", &format!("{{{}}}", phases.join(",")));
        self
    }

    /// An object of texts.
    pub(crate) fn map<'a>(
        mut self,
        key: &str,
        pairs: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Self {
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(key, value)| format!("{}:{}", quoted(key), quoted(&value)))
            .collect();
        self.push(key, &format!("{{{}}}", pairs.join(",")));
        self
    }

    /// A list of texts.
    pub(crate) fn list(mut self, key: &str, texts: &[impl AsRef<str>]) -> Self {
        self.push(key, &array(texts));
        self
    }

    /// An object of lists of texts; empty lists are left out.
    pub(crate) fn lists(mut self, key: &str, lists: &[(&str, Vec<String>)]) -> Self {
        let lists: Vec<String> = lists
            .iter()
            .filter(|(_, texts)| !texts.is_empty())
            .map(|(key, texts)| format!("{}:{}", quoted(key), array(texts)))
            .collect();
        self.push(key, &format!("{{{}}}", lists.join(",")));
        self
    }

    fn push(&mut self, key: &str, json: &str) {
        self.0.push(',');
        self.0.push_str(&quoted(key));
        self.0.push(':');
        self.0.push_str(json);
    }

    /// Writes the line.
    ///
    /// A full disk is said once, on stderr, and does not fail tests that are otherwise right.
    pub(crate) fn write(mut self) {
        let process = std::process::id();
        self.push("process", &process.to_string());
        self = self.seconds("time", now());
        self.0.push_str("}\n");
        let Ok(Some(file)) = file() else { return };
        let mut file = file.lock();
        if let Err(error) = file.write_all(self.0.as_bytes()) {
            static SAID: OnceLock<()> = OnceLock::new();
            SAID.get_or_init(|| {
                // Not the fault of the test that happens to run, whose output may be captured.
                say_to_terminal(&format!(
                    "green-light: events are incomplete from here on: {error}"
                ));
            });
        }
    }
}

fn array(texts: &[impl AsRef<str>]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", texts.join(","))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(redacted(text)).to_string()
}
