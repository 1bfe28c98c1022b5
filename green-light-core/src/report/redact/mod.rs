//! Passwords out of everything that is printed.

pub(crate) mod fields;
pub(crate) mod known;
pub(crate) mod spans;
pub(crate) mod text;
pub(crate) mod urls;
