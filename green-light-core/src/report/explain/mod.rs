//! What messages of tokio, SQLx, SeaORM, futures and of databases mean in a test, and what to write instead.
//!
//! They say that a runtime or a connection is missing, ended or taken, or that a statement is refused, and
//! cannot know why. green-light knows what runs a test: it prints what the message means and a line of help
//! below the original text, which stays as it is.
//!
//! Messages are found by their own words, in failures only: core has no database crate in its tree.

pub(crate) mod executor;
pub(crate) mod hint_provider;
pub(crate) mod known;
pub(crate) mod left_behind;
pub(crate) mod lookup;
pub(crate) mod pool;
pub(crate) mod refused;
pub(crate) mod rights;
pub(crate) mod runtime;
pub(crate) mod server;
pub(crate) mod shared;
pub(crate) mod tables;
pub(crate) mod thread_context;
pub(crate) mod tls;
pub(crate) mod transaction;
