//! The code of the guides, complete. Run it with `cargo test --example guides`.
#![cfg_attr(
    not(test),
    expect(
        dead_code,
        unused_imports,
        reason = "an example is built without its tests, too"
    )
)]

mod around;
mod basics;
mod isolation;
mod own_parts;
mod properties;
mod tasks;
mod two_databases;

use green_light::prelude::*;

/// The tables of all tests here.
#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE guest (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
}

fn main() {}
