//! What the compiler says of `Schema::migrations` when its feature is not on.
//!
//! Nothing implements the trait, so every use is an error with these words.

use crate::schema::definition::Schema;

impl Schema {
    /// Stands where [`migrations`](Self::migrations) is with the feature, and says what is missing.
    #[doc(hidden)]
    #[must_use]
    pub fn migrations<M: FeatureSeaOrmMigration>() -> Self {
        Self::empty()
    }
}

#[diagnostic::on_unimplemented(
    message = "`Schema::migrations` needs the feature `sea-orm-migration` of `green-light`",
    label = "this migrator belongs to sea-orm-migration",
    note = "in `Cargo.toml`, add \"sea-orm-migration\" to the `features` of `green-light`"
)]
#[doc(hidden)]
pub trait FeatureSeaOrmMigration {}
