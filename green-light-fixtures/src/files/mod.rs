//! Files that processes share: locked, and written whole or not at all.

pub(crate) mod atomic_write;
pub(crate) mod base;
pub(crate) mod lock;
pub(crate) mod owner;
