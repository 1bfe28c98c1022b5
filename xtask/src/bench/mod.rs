//! green-light against its peers: the same tests on each, timed in turn, told as ratios.
//!
//! The peers' sources stand in `benches/`. They are rendered into a project below the target
//! directory, so that what only they need (`#[sqlx::test]`) is a dependency of nothing else.

mod backend;
mod binary;
mod compile;
mod database;
mod hand_out;
mod project;
mod rows;
mod servers;
mod table;
mod timing;

pub(crate) use rows::{GROUPS, Group, run};
