//! Files that processes share: temporary directories with a lock, files written whole or not at all.

pub(crate) mod temp_dir;
