//! Fixture graphs run by green-light and compared, event by event, with what pytest did.

mod compare;
mod excuse;
mod graph;
mod project;
mod render;
mod run;

pub(crate) use run::run;
