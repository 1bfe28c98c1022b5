//! Lists of what is not yet as it should be. They only get shorter, and a list that is empty has no file.

use std::{env, fs, path::Path};

use crate::files::root;

/// The lines of the list `path`.
pub(crate) fn exceptions(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// With `UPDATE_EXPECT=1` replaces the list by `found`, if that makes it no longer. Says what to do.
pub(crate) fn renew(path: &str, found: &[String]) -> String {
    let before = exceptions(path).lines().count();
    let text: String = found.iter().map(|line| format!("{line}\n")).collect();
    let file = root().join(path);
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file.file_name().unwrap());
    fs::write(&new, &text).unwrap();
    if env::var_os("UPDATE_EXPECT").is_none() || found.len() > before {
        return format!(
            "{path} has {before} lines; there would be {} now, which are in {}\n  \
             help: `UPDATE_EXPECT=1` writes them, if they are no more than before",
            found.len(),
            new.display()
        );
    }
    match found {
        [] => fs::remove_file(&file).unwrap(),
        _ => fs::write(&file, text).unwrap(),
    }
    format!("{path} had {before} lines, and has {} now", found.len())
}
