//! Fixtures of green-light.
