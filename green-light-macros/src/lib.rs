//! Macros of green-light.
