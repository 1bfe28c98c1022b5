//! Fixture graphs run by green-light and compared, event by event, with what pytest did.

mod closure;
mod compare;
mod concurrent;
mod excuse;
mod fail;
mod graph;
mod model;
mod project;
mod render;
mod run;
mod suite;

pub(crate) use run::{Plan, run};
pub(crate) use suite::{Suite, notices};
