//! A session of SeaORM.
//!
//! * A session derefs to a plain `sea_orm::DatabaseConnection`, so `&session` fits `&DatabaseConnection`.
//! * It implements SeaORM's traits itself as well, so it fits generic code, and so that an error about a taken
//!   connection says who holds it.

pub(crate) mod connection;
pub(crate) mod handle;
pub(crate) mod options;
pub(crate) mod traits;
