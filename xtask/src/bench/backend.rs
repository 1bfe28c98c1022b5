//! The databases on which tests with a session are timed.
//!
//! Another one is a line in [`BACKENDS`] and three sources in `benches/database/`. What its binaries
//! need to find their server goes into [`Binary::environment`](super::binary::Binary).

use super::project::Source;

/// Where `database` measures.
pub(crate) const BACKENDS: [Backend; 1] = [Backend {
    name: "SQLite",
    green_light: "database/sqlite/green_light",
    by_hand: "database/sqlite/by_hand",
    sqlx: "database/sqlite/sqlx",
}];

/// A database, and the sources of the same tests on it.
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    /// With the `session` of green-light.
    green_light: &'static str,
    /// With a kept connection, begin and rollback.
    by_hand: &'static str,
    /// With `#[sqlx::test]`: a new database and ten migrations in each test.
    sqlx: &'static str,
}

impl Backend {
    pub(crate) fn sources(&self) -> [Source; 3] {
        [
            Source::new(self.green_light, 1000),
            Source::new(self.by_hand, 1000),
            // Slow, and no faster a test when there are more of them.
            Source::new(self.sqlx, 50),
        ]
    }
}
