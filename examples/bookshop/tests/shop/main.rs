//! The bookshop, tested with green-light: one binary, a module for each topic.
//!
//! Every test that asks for a `session`, or for anything that stands on one, has the database to
//! itself: what it writes, it alone sees, and the next one finds the tables empty.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod catalogue;
mod checkout;
mod customers;
mod fixtures;
mod isolation;
mod orders;
mod over_http;
mod race;
mod search;
mod synchronous;
mod transactions;

use bookshop::migration::Migrator;
use green_light::{Backend, Error, Schema, fixture};

/// SQLite, unless the run asks for another database:
/// `BOOKSHOP_BACKEND=postgres cargo test -p bookshop --features postgres`.
#[fixture(overrides = green_light::fixtures::backend)]
fn backend() -> Result<Backend, Error> {
    std::env::var("BOOKSHOP_BACKEND").map_or(Ok(Backend::Sqlite), |name| name.parse())
}

/// The tables of all tests in this binary: those of the service itself.
#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::migrations::<Migrator>()
}
