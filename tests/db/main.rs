//! Databases as users have them: through the facade, with fixtures.

mod backends;
mod engine;
mod isolation;
mod schema;
mod session;
mod several;
mod sql_fixtures;
mod transaction;
mod urls;
