//! A guestbook over HTTP: actix-web on SeaORM. See `tests/` for how it is tested.

pub mod entry;
mod http;

pub use http::routes;
