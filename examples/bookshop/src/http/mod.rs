//! The shop over HTTP.
//!
//! Answers are JSON; whatever goes wrong, also in a request axum itself refuses, is a problem
//! document (RFC 9457) made in [`problem`].

mod app;
mod authors;
mod books;
mod customers;
mod extract;
mod orders;
pub mod problem;

pub use app::app;
