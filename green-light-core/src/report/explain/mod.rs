//! What messages of tokio, SQLx, SeaORM, futures and of databases mean in a test, and what to write instead.
//!
//! They say that a runtime or a connection is missing, ended or taken, or that a statement is refused, and
//! cannot know why. green-light knows what runs a test: it prints what the message means and a line of help
//! below the original text, which stays as it is.
//!
//! Messages are found by their own words, in failures only: core has no database crate in its tree.

mod adviser;
mod executor;
mod find;
mod known;
mod left_behind;
mod place;
mod pool;
mod refused;
mod runtime;
mod server;
mod shared;
mod tables;
mod tls;
mod transaction;

pub use adviser::{Adviser, Concern, advise};
pub use find::help_for;
pub(crate) use find::{explain, explain_panic, is_known};
pub use left_behind::left_behind;
pub(crate) use place::Place;
