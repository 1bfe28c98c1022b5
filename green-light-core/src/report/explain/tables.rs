//! A table that is not in the database.

use crate::report::explain::hint_provider::Concern;
use crate::report::explain::known::KnownError;

pub(crate) const KNOWN: &[KnownError] = &[KnownError {
    words: &[
        // SQLite.
        "no such table: ",
        // PostgreSQL.
        "relation \" .. \" does not exist",
        "relation \\\" .. \\\" does not exist",
        // MySQL.
        "Table ' .. ' doesn't exist",
    ],
    meaning: "the database that was asked has no such table",
    place: false,
    concern: Some(Concern::MissingTable),
    help: "look at the name, and at what the `schema` fixture makes; a connection that the test did not get from \
           green-light is to another database, or cannot see what the test made in its transaction: request \
           `database_url` for code that connects by itself",
}];
