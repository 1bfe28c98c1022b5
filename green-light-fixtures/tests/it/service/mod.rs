//! One suite of tests for a service, in six places: on an ordinary connection and inside the
//! sandbox, each on SQLite, PostgreSQL and MySQL.
//!
//! The [`bank`] takes a plain `&DatabaseConnection` and knows nothing of tests. Each body is written
//! once, and gets the same type in every place: a pool made by `Database::connect`, as in production, or
//! the connection of a test's transaction. Around it, [`place`] looks from a second connection at
//! what there is to be seen.
//!
//! Where the sandbox cannot be as production, [`differences`] says so, and shows both.

#[macro_use]
mod place;

mod bank;
mod cancellation;
mod closures;
mod concurrency;
mod differences;
mod errors;
mod leaks;
mod panics;
mod streams;
mod transactions;
