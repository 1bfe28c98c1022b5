//! Longer explanations.

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/actix.md")]
pub mod actix_web {}

#[doc = include_str!("docs/around.md")]
pub mod around {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/axum.md")]
pub mod axum {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/ci.md")]
pub mod ci {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/claims.md")]
pub mod claims {}

#[doc = include_str!("docs/context.md")]
pub mod context {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/databases.md")]
pub mod databases {}

#[doc = include_str!("docs/diagnostics.md")]
pub mod diagnostics {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/migrating.md")]
pub mod migrating {}

#[doc = include_str!("docs/nextest.md")]
pub mod nextest {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/other_stacks.md")]
pub mod other_stacks {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/proptest.md")]
pub mod proptest {}

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
#[doc = include_str!("docs/several_databases.md")]
pub mod several_databases {}

#[doc = include_str!("docs/tasks.md")]
pub mod tasks {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/traps.md")]
pub mod traps {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/variables.md")]
pub mod variables {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/waits.md")]
pub mod waits {}
