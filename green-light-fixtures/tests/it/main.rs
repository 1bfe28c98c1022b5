//! Behaviour of the database layer, on plain tokio, without macros but where a test is to know which one it is.
//!
//! Every hostile behaviour has a companion check: the next transaction sees a clean database.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

#[macro_use]
mod support;

mod backlog;
mod budgets;
mod checkout;
mod children;
mod clone;
mod connections;
mod constraints;
mod crashes;
mod database;
mod dumps;
mod ending;
mod engine;
mod full_server;
mod fuzz;
mod held;
mod images;
mod keep;
mod killed;
mod known;
mod leftovers;
mod litter;
mod lost;
mod mysql_database;
mod mysql_sandbox;
mod mysql_server;
mod mysql_server_wide;
mod mysql_session;
mod named_server;
mod namesakes;
mod observe;
mod outsiders;
mod own_server;
mod passwords;
mod places;
mod pooler;
mod postgres_commit;
mod postgres_database;
mod postgres_kept;
mod postgres_on_commit;
mod postgres_sandbox;
mod postgres_shared;
mod postgres_traces;
mod prepared_statements;
mod prepared_transactions;
mod processes;
mod proxied;
mod proxy;
mod raw_pool;
mod rebuild;
mod recycle;
mod refusals;
mod restart;
mod restartable;
mod rights;
mod role;
mod roles;
mod sandbox;
mod schema;
mod schema_migrations;
mod schema_run;
mod schema_sources;
mod server_wide;
mod service;
mod session;
mod shared;
mod shared_url;
mod silence;
mod silent;
mod sqlite;
mod sqlite_connection;
mod sqlite_sandbox;
mod statement_log;
mod transaction;
mod two_engines;
mod xa;
