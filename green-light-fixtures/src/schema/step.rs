//! One step of a schema.

use std::{fmt, panic::Location};

use crate::database_pool::BoxFuture;
use crate::error::{Error, Kind};
use crate::schema::new_database::NewDatabase;
use crate::sql::dialect::Dialect;

/// What a schema does one after the other. Its failures name the migration, statement, entities or seed; the schema adds
/// the place.
pub(crate) trait Step: fmt::Debug + Send + Sync {
    fn apply<'a>(&'a self, new: &'a NewDatabase) -> BoxFuture<'a, Result<(), Error>>;

    /// What tells this step from others, for a digest.
    fn identity(&self) -> String;

    /// What tells this step from one that does something else. `None` if not all that it does can be told.
    fn content_digest_input<'a>(
        &'a self,
        _dialect: &'static dyn Dialect,
        _place: &'static Location<'static>,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async { Some(self.identity()) })
    }

    /// What tells this step from others of this build of the program, if its identity does not.
    fn type_identity(&self) -> Option<&str> {
        None
    }

    /// Whether what it does depends on values of which nothing is known.
    fn captures(&self) -> bool {
        false
    }

    /// Whether it may connect by itself, so that the database has to be one to which that is possible.
    fn may_connect(&self) -> bool {
        false
    }
}

pub(crate) fn failed(what: impl Into<String>, error: &dyn fmt::Display) -> Error {
    Error::new(Kind::Schema, what).because(error.to_string())
}
