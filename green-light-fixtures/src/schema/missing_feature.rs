//! What the compiler says of a step whose feature is not on.
//!
//! Nothing implements these traits, so every use of the step is an error with these words.

#[cfg(not(feature = "sea-orm-migration"))]
#[diagnostic::on_unimplemented(
    message = "`Schema::migrations` needs the feature `sea-orm-migration` of `green-light`",
    label = "this migrator belongs to sea-orm-migration",
    note = "in `Cargo.toml`, add \"sea-orm-migration\" to the `features` of `green-light`"
)]
#[doc(hidden)]
pub trait FeatureSeaOrmMigration {}

#[cfg(not(feature = "sqlx"))]
#[diagnostic::on_unimplemented(
    message = "`Schema::sqlx` needs the feature `sqlx` of `green-light`",
    label = "these migrations belong to sqlx",
    note = "in `Cargo.toml`, add \"sqlx\" to the `features` of `green-light`"
)]
#[doc(hidden)]
pub trait FeatureSqlx {}
