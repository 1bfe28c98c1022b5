//! The log of a server.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::error::Error;

/// How often to look for more.
const PAUSE: Duration = Duration::from_millis(200);

/// Prints the last `lines` of a log; with `follow`, then all that comes, until this process is ended.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn print(path: &Path, lines: usize, follow: bool) -> Result<(), Error> {
    let cannot = |error: io::Error| {
        Error::new(format!(
            "the log `{}` cannot be read: {error}",
            path.display()
        ))
        .help("let this user read it; a server that has never been started has none")
    };
    let mut file = File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(cannot)?;
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let mut output = io::stdout();
    for line in &all[all.len().saturating_sub(lines)..] {
        if writeln!(output, "{line}").is_err() {
            // Nothing reads it any more.
            return Ok(());
        }
    }
    if !follow {
        return Ok(());
    }
    loop {
        thread::sleep(PAUSE);
        let mut more = Vec::new();
        file.read_to_end(&mut more).map_err(cannot)?;
        // A server that is started again has removed its log, and begins a new one.
        if let Some(mut next) = File::open(path).ok().filter(|next| differ(&file, next)) {
            next.read_to_end(&mut more).map_err(cannot)?;
            file = next;
        }
        if output
            .write_all(&more)
            .and_then(|()| output.flush())
            .is_err()
        {
            return Ok(());
        }
    }
}

/// Whether they are two files. While one is open, no other file gets its number.
fn differ(one: &File, other: &File) -> bool {
    let number = |file: &File| {
        let facts = file.metadata().ok()?;
        Some((facts.dev(), facts.ino()))
    };
    number(one) != number(other)
}
