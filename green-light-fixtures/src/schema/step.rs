//! One step of a schema.

use std::{fmt, panic::Location};

use crate::database_pool::BoxFuture;
use crate::error::{Error, Kind};
use crate::schema::new_database::NewDatabase;
use crate::sql::dialect::Dialect;

/// What a schema does, one after the other. Errors name the migration, statement, entities or seed; the schema adds the
/// place.
pub(crate) trait Step: fmt::Debug + Send + Sync {
    fn apply<'a>(&'a self, new: &'a NewDatabase) -> BoxFuture<'a, Result<(), Error>>;

    /// A text that differs from those of other steps, for a digest.
    fn identity(&self) -> String;

    /// A text that differs from those of steps that do something else. `None` if it is not known what this one does.
    fn content_digest_input<'a>(
        &'a self,
        _dialect: &'static dyn Dialect,
        _place: &'static Location<'static>,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async { Some(self.identity()) })
    }

    /// A text that differs from those of other steps in this build of the program, if the identity may not.
    fn type_identity(&self) -> Option<&str> {
        None
    }

    /// Whether what it does depends on unknown values.
    fn captures(&self) -> bool {
        false
    }

    /// Whether it may open connections itself, so that the database must be one that others can connect to.
    fn may_connect(&self) -> bool {
        false
    }
}

pub(crate) fn failed(what: impl Into<String>, error: &dyn fmt::Display) -> Error {
    Error::new(Kind::Schema, what).because(error.to_string())
}
