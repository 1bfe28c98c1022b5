//! Internals of green-light.
