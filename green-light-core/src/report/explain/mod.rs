//! What the messages of the "wrong runtime" family mean, and what to write instead.
//!
//! tokio, SQLx, SeaORM and futures say that a runtime or a connection is missing, ended or taken, and cannot
//! know why. Here it is known what runs a test, so a failure with such a message is told with what it
//! means, below the original text, which is never hidden.
//!
//! Messages are found by their own words, in failures only: core knows no database.

mod adviser;
mod executor;
mod find;
mod known;
mod place;
mod pool;
mod runtime;
mod shared;
mod transaction;

pub use adviser::{Adviser, advise};
pub(crate) use find::{explain, explain_panic, is_known};
pub(crate) use place::Place;
