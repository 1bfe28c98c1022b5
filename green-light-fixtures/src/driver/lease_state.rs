//! What callbacks note of one lease while it lasts.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use crate::driver::breach::BreachReport;
use crate::driver::checkout::Checkout;
use crate::test_id::TestId;

/// The part of a lease that callbacks write to.
#[derive(Debug)]
pub(crate) struct LeaseState {
    pub(crate) id: u64,
    pub(crate) test: TestId,
    pub(crate) breaches: Vec<BreachReport>,
    pub(crate) longest: Option<(Duration, Checkout)>,
    /// Whether the test has had a connection, so that losing it loses rows.
    pub(crate) used: bool,
    /// Whether the test has been told who holds its connection.
    pub(crate) told: bool,
    /// Whether a raw pool, which cannot be tracked, was handed out.
    pub(crate) raw_pool: bool,
    /// Whether the test asked where its database is.
    pub(crate) url_given: bool,
    /// Whether others may have committed something to its database.
    pub(crate) strangers: bool,
    /// Whether a statement was sent that may leave something in the session.
    pub(crate) session_dirty: bool,
    /// How many statements besides those about savepoints were sent as texts, as far as they were told.
    pub(crate) texts: u64,
    /// Whether the connection was used by something that reports no statement.
    pub(crate) untracked_use: bool,
    /// Whether the next use of the connection will report its statement when it is over.
    pub(crate) expects_report: bool,
    /// The statement that the database refused last, or the first of several in a row.
    pub(crate) refused: Option<String>,
    /// Whether the last statement was refused.
    pub(crate) was_refused: bool,
    /// Whether the database rolled back the transaction by itself. The lease knows it after its end.
    pub(crate) deadlocked: Arc<AtomicBool>,
}

impl LeaseState {
    pub(crate) fn new(id: u64, test: TestId, deadlocked: Arc<AtomicBool>) -> Self {
        Self {
            id,
            test,
            breaches: Vec::new(),
            longest: None,
            used: false,
            told: false,
            raw_pool: false,
            url_given: false,
            strangers: false,
            session_dirty: false,
            texts: 0,
            untracked_use: false,
            expects_report: false,
            refused: None,
            was_refused: false,
            deadlocked,
        }
    }
}
