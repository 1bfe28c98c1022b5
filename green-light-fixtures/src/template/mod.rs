//! A schema built once and kept, from which the databases of tests are made.
//!
//! The template belongs to one engine. It is built before the engine exists, so that a schema that
//! fails is the engine's error and not the first test's.

mod build;

pub(crate) use self::build::Template;
