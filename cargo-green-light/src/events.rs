//! The event file of green-light: one JSON object a line.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;

/// One line. Which keys there are depends on its kind.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    #[serde(rename = "ev")]
    pub(crate) kind: String,
    /// When it was written, in seconds since 1970.
    pub(crate) time: f64,
    /// Which process wrote it; missing in files of older versions.
    #[serde(default)]
    process: Option<u32>,
    #[serde(default)]
    pub(crate) test: Option<String>,
    /// The test in whose phase a fixture was set up or torn down.
    #[serde(default)]
    pub(crate) during: Option<String>,
    #[serde(default)]
    pub(crate) fixture: Option<String>,
    #[serde(default)]
    pub(crate) scope: Option<String>,
    /// The module of a fixture.
    #[serde(default, rename = "at")]
    pub(crate) module: Option<String>,
    /// File and line of a fixture.
    #[serde(default)]
    pub(crate) place: Option<String>,
    #[serde(default)]
    pub(crate) docs: Option<String>,
    #[serde(default)]
    pub(crate) overrides: Option<String>,
    #[serde(default)]
    pub(crate) autouse: Option<String>,
    /// The fixtures that a fixture or a test gets.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// What a test has waited for.
    #[serde(default, rename = "for")]
    pub(crate) wanted: Option<String>,
    #[serde(default)]
    pub(crate) result: Option<String>,
    #[serde(default)]
    pub(crate) outcome: Option<String>,
    /// Of the phases.
    #[serde(default)]
    pub(crate) errors: HashMap<String, Vec<String>>,
    #[serde(default)]
    pub(crate) began: Option<f64>,
    #[serde(default)]
    pub(crate) program: Option<String>,
    #[serde(default)]
    pub(crate) runner: Option<String>,
    #[serde(default)]
    took: Value,
}

impl Event {
    pub(crate) fn process(&self) -> u32 {
        self.process.unwrap_or_default()
    }

    /// How long what ended with this event took.
    pub(crate) fn took(&self) -> f64 {
        self.took.as_f64().unwrap_or_default()
    }

    /// How long a phase of the test took.
    pub(crate) fn phase(&self, name: &str) -> f64 {
        self.took[name].as_f64().unwrap_or_default()
    }
}

/// The events of a file, in the order in which they were written.
///
/// # Errors
///
/// When it cannot be read, or holds something else.
pub(crate) fn read(path: &Path) -> Result<Vec<Event>, Error> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        Error::new(format!("the event file `{shown}` cannot be read: {error}"))
            .help("name a file that a run with `GREEN_LIGHT_EVENTS=FILE` has written; the path must be absolute there")
    })?;
    let mut events = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        match serde_json::from_str::<Event>(line) {
            Ok(event) if event.process.is_none() => {
                return Err(Error::new(format!(
                    "line {} of `{shown}` does not say which process wrote it",
                    number + 1
                ))
                .help("this version of `cargo green-light` reads files of the same version of green-light: run `cargo update green-light`, and the tests again"));
            }
            Ok(event) => events.push(event),
            // A process that was killed, or a full disk, leaves half a line.
            Err(_) if lines.peek().is_none() && !text.ends_with('\n') => {}
            Err(error) => {
                return Err(Error::new(format!("line {} of `{shown}` is no event: {error}", number + 1))
                    .help("name a file that a run with `GREEN_LIGHT_EVENTS=FILE` has written, and nothing else writes to"));
            }
        }
    }
    Ok(events)
}
