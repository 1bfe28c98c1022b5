//! Files that processes share: locked, written whole or not at all, and removed when their process is gone.

pub(crate) mod atomic_write;
pub(crate) mod lock;
pub(crate) mod slot_file;
pub(crate) mod temp_dir;
