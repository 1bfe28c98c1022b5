//! What the compiler says of `Schema::sqlx` when its feature is not on.
//!
//! Nothing implements the trait, so every use is an error with these words.

use crate::schema::definition::Schema;

impl Schema {
    /// Stands where `sqlx` is with the feature, and says what is missing.
    #[doc(hidden)]
    #[must_use]
    pub fn sqlx<M: FeatureSqlx>(_migrator: M) -> Self {
        Self::empty()
    }
}

#[diagnostic::on_unimplemented(
    message = "`Schema::sqlx` needs the feature `sqlx` of `green-light`",
    label = "these migrations belong to sqlx",
    note = "in `Cargo.toml`, add \"sqlx\" to the `features` of `green-light`"
)]
#[doc(hidden)]
pub trait FeatureSqlx {}
