//! Database and shared isolation: databases that a test may commit to.
//!
//! * A *stay* is one test's time in such a database. It has a pool of its own, of several
//!   connections, which is closed when the test ends: nothing of a test reaches a later one by it.
//! * With database isolation the database is made for the test and thrown away after it.
//! * With shared isolation there is one for the process. Tests take turns in it, and it is put back
//!   as the template made it before and after each. If that cannot be done, another is made.
//! * Every wait is bounded.

pub(crate) mod dedicated;
pub(crate) mod factory;
pub(crate) mod keep;
pub(crate) mod shared;
pub(crate) mod shared_queue;
