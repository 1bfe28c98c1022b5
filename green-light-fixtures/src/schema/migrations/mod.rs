//! Migrations of SeaORM: running them, and recording what they send to tell whether they have changed.

pub(crate) mod recorded;
pub(crate) mod recorder;
pub(crate) mod rows_affected;
pub(crate) mod step;
