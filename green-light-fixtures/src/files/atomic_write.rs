//! Writing a file so that a reader sees all of it, or what was there before.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use crate::failpoint::step;

/// Writes `content` to `draft`, which then gets the name `path`. No other process writes to this `draft`.
pub(crate) fn atomic_write(path: &Path, draft: &Path, content: &[u8]) -> io::Result<()> {
    let written = write(draft, content).and_then(|()| {
        step("written");
        fs::rename(draft, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(draft);
    }
    written
}

fn write(draft: &Path, content: &[u8]) -> io::Result<()> {
    // Of a process that was killed. One that is a link is not followed.
    let _ = fs::remove_file(draft);
    let mut file = File::create_new(draft)?;
    let (one, other) = content.split_at(content.len() / 2);
    file.write_all(one)?;
    step("half");
    file.write_all(other)
}
