//! The page: one HTML file with its style, its program and its data in it.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::error::Error;
use crate::timeline::lost::Share;
use crate::timeline::run::Run;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const PROGRAM: &str = include_str!("page.js");

/// All that the page shows, and what `--json` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Shown<'a> {
    #[serde(flatten)]
    pub(crate) run: &'a Run,
    /// What became of the time of all lanes.
    pub(crate) shares: &'a [Share],
}

/// Writes the page to `path`.
///
/// # Errors
///
/// When that cannot be written.
pub(crate) fn write(path: &Path, shown: &Shown<'_>) -> Result<(), Error> {
    let cannot = |error: &dyn std::fmt::Display| {
        Error::new(format!(
            "the page `{}` cannot be written: {error}",
            path.display()
        ))
        .help("name another file: `--output FILE`")
    };
    let data = serde_json::to_string(shown).map_err(|error| cannot(&error))?;
    let page = PAGE
        .replace("/* STYLE */", STYLE)
        .replace("TITLE", &escaped(&shown.run.title))
        .replace("/* PROGRAM */", PROGRAM)
        // Last, because a test may be named after one of the marks. `<` would end the element.
        .replacen("/* DATA */", &data.replace('<', "\\u003c"), 1);
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(|error| cannot(&error))?;
    }
    fs::write(path, page).map_err(|error| cannot(&error))
}

/// As text of HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
