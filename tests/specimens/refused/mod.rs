//! What a database refuses inside of a transaction, and so in a test that is one.

mod mysql;
mod postgres;
mod sqlite;
