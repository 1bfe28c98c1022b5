//! Counts the visits of pages.

pub mod db;
mod http;

pub use http::routes;
