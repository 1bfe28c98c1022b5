//! What a database holds before any test runs: tables, reference rows, seed data.
//!
//! A `Schema` is a plan, cheap to clone; nothing runs until an engine builds its template from it,
//! once. Steps run in the order they were given. Every failure names the step and the place where
//! the schema was made.

pub(crate) mod build_id;
pub(crate) mod code;
pub(crate) mod definition;
#[cfg(feature = "sea-orm")]
pub(crate) mod entities;
#[cfg_attr(not(feature = "sea-orm-migration"), path = "missing_migrations.rs")]
pub(crate) mod migrations;
pub(crate) mod new_database;
pub(crate) mod sql_directory;
pub(crate) mod sql_files;
#[cfg_attr(not(feature = "sqlx"), path = "missing_sqlx.rs")]
pub(crate) mod sqlx_migrations;
pub(crate) mod step;
pub(crate) mod up_section;
