//! A bookshop: an axum service over SeaORM.
//!
//! [`app`] turns a plain [`DatabaseConnection`](sea_orm::DatabaseConnection) into a router and is
//! all a caller needs. Behind it, from the outside in:
//!
//! * [`http`]: routes, request bodies, answers, and how an [`Error`] becomes a problem document;
//! * [`shop`]: what the shop does, without a word about HTTP;
//! * [`entity`] and [`migration`]: the tables, as SeaORM sees them and as they came to be.
//!
//! Nothing here knows how it is tested; `tests/shop` shows that.

pub mod entity;
mod error;
pub mod http;
pub mod migration;
pub mod shop;

pub use error::{Error, Result};
pub use http::app;
