//! All that the rest of the crate knows of a database.
