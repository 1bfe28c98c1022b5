//! Longer explanations.

#[doc = include_str!("docs/context.md")]
pub mod context {}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc = include_str!("docs/databases.md")]
pub mod databases {}

#[doc = include_str!("docs/rstest.md")]
pub mod rstest {}

#[doc = include_str!("docs/scopes.md")]
pub mod scopes {}
