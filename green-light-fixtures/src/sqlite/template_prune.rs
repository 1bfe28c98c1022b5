//! Removes images that were not used for long, and what killed processes have left. Other files are not touched.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::failpoint::step;
use crate::files::lock::FileLock;

/// The extension of an image.
pub(crate) const IMAGE: &str = "image";
/// The extension of one that is being written.
pub(crate) const DRAFT: &str = "draft";
/// The extension of the file that is locked while an image is built.
pub(crate) const LOCK: &str = "lock";

/// So many are kept, however old they are.
const KEPT: usize = 12;
/// How long the others are kept without being used.
const UNUSED: Duration = Duration::from_secs(60 * 60);

struct Entry {
    path: PathBuf,
    used: SystemTime,
}

impl Entry {
    fn is_old(&self) -> bool {
        self.used.elapsed().is_ok_and(|since| since > UNUSED)
    }

    fn has(&self, extension: &str) -> bool {
        self.path
            .extension()
            .is_some_and(|found| found == extension)
    }

    /// The name of the image that this belongs to.
    fn image(&self) -> &str {
        let stem = self.path.file_stem().and_then(|stem| stem.to_str());
        stem.unwrap_or_default()
    }

    fn is_ours(&self) -> bool {
        let is_digit = |c: char| c.is_ascii_hexdigit();
        self.image().len() == 16
            && self.image().chars().all(is_digit)
            && [IMAGE, DRAFT, LOCK]
                .iter()
                .any(|extension| self.has(extension))
    }
}

fn entries(directory: &Path) -> Vec<Entry> {
    let found = fs::read_dir(directory).into_iter().flatten().flatten();
    found
        .filter_map(|file| {
            let used = file.metadata().and_then(|data| data.modified()).ok()?;
            Some(Entry {
                path: file.path(),
                used,
            })
        })
        .filter(Entry::is_ours)
        .collect()
}

/// Removes what was not used for long, but for the images that were used last.
pub(crate) fn remove_unused(directory: &Path) {
    let mut entries = entries(directory);
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.used));
    let images = entries.iter().filter(|entry| entry.has(IMAGE)).enumerate();
    let stay: HashSet<String> = images
        .filter(|(place, entry)| *place < KEPT || !entry.is_old())
        .map(|(_, entry)| entry.image().to_owned())
        .collect();
    let old = entries.iter().filter(|entry| entry.is_old());
    let gone: HashSet<&str> = old
        .map(Entry::image)
        .filter(|name| !stay.contains(*name))
        .collect();
    for name in gone {
        let file = |extension| directory.join(name).with_extension(extension);
        // No process builds the image while it is removed. One that waits to do so looks for it again.
        if let Ok(Some(_lock)) = FileLock::try_acquire(&file(LOCK)) {
            for extension in [IMAGE, DRAFT, LOCK] {
                let _ = fs::remove_file(file(extension));
            }
            step("pruned");
        }
    }
}
