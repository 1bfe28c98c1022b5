//! The reference of what an attribute or an item alone does not explain.
//!
//! [The guide](https://green-light-rs.github.io/green-light/), a book, teaches:
//!
//! * [how to start](https://green-light-rs.github.io/green-light/start/seaorm.html), [fixtures](https://green-light-rs.github.io/green-light/fixtures.html),
//!   [isolation](https://green-light-rs.github.io/green-light/isolation.html)
//! * [code without SeaORM](https://green-light-rs.github.io/green-light/drivers.html)
//! * [axum](https://green-light-rs.github.io/green-light/frameworks/axum.html), [actix-web](https://green-light-rs.github.io/green-light/frameworks/actix.html),
//!   [other frameworks](https://green-light-rs.github.io/green-light/frameworks/others.html)
//! * [nextest](https://green-light-rs.github.io/green-light/run/nextest.html), [CI](https://green-light-rs.github.io/green-light/run/ci.html)
//! * [what a message means](https://green-light-rs.github.io/green-light/diagnostics/index.html)
//! * [how to move](https://green-light-rs.github.io/green-light/migrate/sqlx-test.html) from other crates
//! * [all environment variables](https://green-light-rs.github.io/green-light/reference/variables.html)

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/claims.md")]
pub mod claims {}

#[doc = include_str!("docs/context.md")]
pub mod context {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/databases.md")]
pub mod databases {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/pytest_green_light.md")]
pub mod pytest_green_light {}

#[doc = include_str!("docs/rstest.md")]
pub mod rstest {}

#[doc = include_str!("docs/pytest.md")]
pub mod pytest {}

#[doc = include_str!("docs/scopes.md")]
pub mod scopes {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/traps.md")]
pub mod traps {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/waits.md")]
pub mod waits {}
