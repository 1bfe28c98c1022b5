//! Removes images that were not used for long, and what killed processes have left. Other files are not touched.

use std::{
    collections::HashSet,
    ffi::OsStr,
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

/// So many images are kept, however old they are.
const KEPT: usize = 12;
/// How long the others are kept without being used.
const UNUSED: Duration = Duration::from_secs(60 * 60);

/// Removes what was not used for long, but for the images that were used last.
pub(crate) fn remove_unused(directory: &Path) {
    let mut files = files(directory);
    files.sort_by(|(one, _), (other, _)| other.cmp(one));
    let is_old = |used: &SystemTime| used.elapsed().is_ok_and(|since| since > UNUSED);
    let images = files.iter().filter(|(_, path)| has(path, IMAGE));
    let stay: HashSet<_> = images
        .enumerate()
        .filter(|(place, (used, _))| *place < KEPT || !is_old(used))
        .map(|(_, (_, path))| path.file_stem())
        .collect();
    let old = files.iter().filter(|(used, _)| is_old(used));
    for (_, path) in old.filter(|(_, path)| !stay.contains(&path.file_stem())) {
        // No process builds the image while it is removed. One that waits to do so looks for it again.
        if let Ok(Some(_lock)) = FileLock::try_acquire(&path.with_extension(LOCK)) {
            for extension in [IMAGE, DRAFT, LOCK] {
                let _ = fs::remove_file(path.with_extension(extension));
            }
            step("pruned");
        }
    }
}

/// The files of images, with the times of their last use.
fn files(directory: &Path) -> Vec<(SystemTime, PathBuf)> {
    let found = fs::read_dir(directory).into_iter().flatten().flatten();
    found
        .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
        .filter(|(_, path)| {
            let name = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
            let is_digest = name.len() == 16 && name.chars().all(|c| c.is_ascii_hexdigit());
            is_digest
                && [IMAGE, DRAFT, LOCK]
                    .iter()
                    .any(|extension| has(path, extension))
        })
        .collect()
}

fn has(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}
