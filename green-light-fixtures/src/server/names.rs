//! Names that are unique on a server, and the name by which this process is known there.

use std::{env, path::Path};

/// The name of this process in messages of other processes: the test program and the number of the process.
pub(crate) fn program() -> String {
    let program = env::current_exe().ok();
    let program = program.as_deref().and_then(Path::file_stem).map_or_else(
        || "tests".to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    );
    // The hash that cargo puts behind the name says nothing to a reader.
    let name = match program.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 => name,
        _ => &program,
    };
    let name: String = name
        .chars()
        .filter(char::is_ascii_graphic)
        .take(32)
        .collect();
    format!("green-light {name} {}", std::process::id())
}

/// A name that no database has, and no process: `kind` is `b` while a template is built, `d` for
/// databases of tests.
pub(crate) fn new_name(kind: &str) -> String {
    let random: String = [random_bytes(), random_bytes()]
        .as_flattened()
        .iter()
        .take(10)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("gl_{kind}_{random}")
}

/// Bytes that cannot be guessed and do not occur again.
pub(crate) fn random_bytes() -> [u8; 8] {
    use std::hash::{BuildHasher as _, RandomState};
    let seed = (std::process::id(), std::time::SystemTime::now());
    RandomState::new().hash_one(seed).to_ne_bytes()
}
