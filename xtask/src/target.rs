//! Where cargo builds this workspace.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The target directory, as an absolute path.
pub(crate) fn directory() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = root.unwrap_or(Path::new("."));
    root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}
