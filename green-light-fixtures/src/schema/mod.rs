//! What a database holds before any test runs: tables, reference rows, seed data.
//!
//! A `Schema` is a plan, cheap to clone; nothing runs until an engine builds its template from it,
//! once. Steps run in the order they were given. Every failure names the step and the place where
//! the schema was made.

#[cfg(feature = "sea-orm-migration")]
mod answers;
mod body;
mod command;
#[cfg(feature = "sea-orm-migration")]
mod kept;
#[cfg(not(all(feature = "sqlx", feature = "sea-orm-migration")))]
mod missing;
mod mysql_body;
mod new_database;
mod pieces;
mod program;
mod recipe;
#[cfg(feature = "sea-orm-migration")]
mod record;
mod session;
mod sql;
mod sql_directory;
#[cfg(feature = "sqlx")]
mod sqlx_migrations;
mod statements;
mod step;
mod token;
mod up_section;

pub use self::{new_database::NewDatabase, recipe::Schema};
pub(crate) use self::{
    pieces::{pieces, tokens},
    program::place_and_time,
    recipe::short_digest,
    sql::run_script,
};
