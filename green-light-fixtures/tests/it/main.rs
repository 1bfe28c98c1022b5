//! Behaviour of the database layer, on plain tokio, without macros.
//!
//! Every hostile behaviour has a companion check: the next transaction sees a clean database.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

#[macro_use]
mod support;

mod backlog;
mod checkout;
mod children;
mod connections;
mod constraints;
mod database;
mod dumps;
mod ending;
mod engine;
mod fuzz;
mod held;
mod hostile;
mod images;
mod keep;
mod killed;
mod leftovers;
mod lost;
mod my_database;
mod my_server;
mod my_session;
mod my_two_phase;
mod mysql;
mod named_server;
mod outsiders;
mod own_server;
mod passwords;
mod pg_database;
mod pg_prepared;
mod pg_shared;
mod pg_strategy;
mod pg_two_phase;
mod pooler;
mod postgres;
mod processes;
mod proxied;
mod proxy;
mod raw_pool;
mod rebuild;
mod recycle;
mod refusals;
mod restart;
mod rights;
mod role;
mod sandbox;
mod schema;
mod schema_migrations;
mod schema_run;
mod schema_sources;
mod service;
mod session;
mod shared;
mod shared_connection;
mod silence;
mod silent;
mod sqlite;
mod transaction;
mod two_engines;
