//! The databases on which tests with a session are timed.
//!
//! Another one is a line in [`BACKENDS`], a source in `benches/database/sqlx/` and a start in
//! `benches/database/servers.rs`.

use super::project::Source;

/// Where `database` and `start` measure.
pub(crate) const BACKENDS: [Backend; 3] = [
    Backend {
        name: "SQLite",
        key: "sqlite",
        sqlx: Source::new("database/sqlx/sqlite", SQLX),
        most: 3.0,
        own: None,
    },
    Backend {
        name: "PostgreSQL",
        key: "postgres",
        sqlx: Source::new("database/sqlx/postgres", SQLX),
        most: 8.0,
        own: Some(0.1),
    },
    Backend {
        name: "MySQL",
        key: "mysql",
        sqlx: Source::new("database/sqlx/mysql", SQLX),
        most: 3.0,
        own: None,
    },
];
/// With the `session` of green-light.
pub(crate) const GREEN_LIGHT: Source = Source::new("database/green_light", 250);
/// With a kept connection, begin and rollback.
pub(crate) const BY_HAND: Source = Source::new("database/by_hand", 250);
/// Tests of `#[sqlx::test]` are slow, and no faster when there are more of them.
const SQLX: u32 = 10;

/// A database, and what is its own in tests on it.
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    /// As green-light calls it.
    pub(crate) key: &'static str,
    /// With `#[sqlx::test]`: a new database and ten migrations in each test.
    pub(crate) sqlx: Source,
    /// How many milliseconds a test with a session may take.
    pub(crate) most: f64,
    /// What a test with a database of its own may take of the time of `#[sqlx::test]`.
    pub(crate) own: Option<f64>,
}

/// All sources of tests on databases.
pub(crate) fn sources() -> Vec<Source> {
    let sqlx = BACKENDS.iter().map(|backend| backend.sqlx);
    [GREEN_LIGHT, BY_HAND].into_iter().chain(sqlx).collect()
}
