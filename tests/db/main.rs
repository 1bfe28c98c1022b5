//! Databases as users have them: through the facade, with fixtures.

mod engine;
mod schema;
mod session;
mod transaction;
