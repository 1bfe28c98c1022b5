//! Transaction isolation: what the code under test may do, and what it gets.
//!
//! A *slot* is a kept one-connection pool over a database of its own, made from the engine's template.
//! A *lease* lends it to one test, inside an outer transaction that is never committed.
//!
//! * The code under test gets a plain `DatabaseConnection`. Its `begin`, `commit` and `rollback`
//!   become savepoints, because sqlx believes that transactions are already open.
//! * Nothing commits: the database itself refuses every commit.
//! * A test that ends its outer transaction is reported as the one that did it, never a later one.
//!   The rest of that test goes on in a fresh database.
//! * A slot goes to the next test only when its transaction has been rolled back, its connection
//!   looks as it did when new, and nothing of the test before can reach it. Otherwise it is thrown
//!   away and a new one is made from the template.
//! * Every wait is bounded.
//!
//! A test that is given the pool of sqlx, or whose connection something still has at its end, has that
//! pool to itself: it is closed, and the connection goes on in another one (`driver/detached.rs`).
//!
//! What cannot be seen: a raw sqlx pool cloned out of `DatabaseConnection::get_sqlite_connection_pool`
//! that is used by a leaked task while a later test has the slot.

pub(crate) mod contention;
pub(crate) mod lease;
pub(crate) mod pool;
pub(crate) mod slot;
#[cfg(test)]
pub(crate) mod tests;
