//! Short texts that stand for long ones.

use sha2::{Digest as _, Sha256};

/// A short text that differs when any part does.
pub(crate) fn short_digest<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hex(hash)
}

/// The beginning of what `hash` has come to.
pub(crate) fn hex(hash: Sha256) -> String {
    let digest = hash.finalize();
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
