//! Database and shared isolation: databases that a test may commit to.
//!
//! * A *test lease* is one test's time in such a database. It has a pool of its own, of several
//!   connections, which is closed when the test ends: nothing of a test reaches a later one by it.
//! * With database isolation the database is made for the test and thrown away after it.
//! * With shared isolation there is one for the process, always at the same URL. Tests use it one after
//!   the other, and before each it gets the contents of the template again.
//! * Every wait is bounded.

pub(crate) mod factory;
pub(crate) mod keep_failed;
pub(crate) mod shared_queue;
pub(crate) mod test_lease;
