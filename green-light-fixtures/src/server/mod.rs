//! What processes do for test databases on a server, written once for all servers over the traits of `driver.rs`.
//!
//! * What all processes must agree on is kept on the server, under locks that end with their connection.
//! * A process has a runtime of its own for this, since the runtime of a test may end at any time.
//!
//! Every wait has an end, and a long one is reported:
//!
//! * *A reply of a server.* What green-light itself asks goes through an `AdminConnection`, which has a timeout for
//!   each reply and is not used after one. The user's own schema may take any time, but only while the server
//!   accepts logins.
//! * *A connection of a test.* Its pool has a timeout, and so has the end of the test. Queries sent by the test are
//!   bounded by the test's own `timeout`.
//! * *Another process*, by `Backoff`, `AdmissionLock` and the passes of the reaper, each of which has a limit.
//! * *A connection that the server does not give*: `shortage.rs`, as long as tests of this process get on.
//! * *Another task of this process*: it does one of the above, and a lock is held across nothing else. The end of
//!   the process waits for all of them together, and not long: `background.rs`.

pub(crate) mod admin_connection;
pub(crate) mod admin_query;
pub(crate) mod admission_lock;
pub(crate) mod background;
pub(crate) mod build_id;
pub(crate) mod changes;
pub(crate) mod client;
pub(crate) mod clients;
pub(crate) mod connection_budget;
pub(crate) mod database_lease;
pub(crate) mod driver;
pub(crate) mod failure;
pub(crate) mod guard_savepoint;
pub(crate) mod names;
pub(crate) mod parked;
pub(crate) mod process_home;
pub(crate) mod ready_pool;
pub(crate) mod reaper;
pub(crate) mod response_timeout;
pub(crate) mod running_tests;
pub(crate) mod server_connection;
pub(crate) mod server_wide;
pub(crate) mod shortage;
pub(crate) mod stand_in;
pub(crate) mod template;
pub(crate) mod test_database;
pub(crate) mod test_server;
pub(crate) mod upkeep;
pub(crate) mod url;

#[cfg(test)]
mod tests;
