//! A job queue in one table of PostgreSQL.
//!
//! `FOR UPDATE SKIP LOCKED` gives each job to one worker, however many there are. `NOTIFY` wakes those that wait.

mod queue;
mod worker;

pub use queue::{Job, MAX_ATTEMPTS, Queue};
pub use worker::{Worker, work};
