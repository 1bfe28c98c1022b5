//! What callbacks note of one lease while it lasts.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use crate::driver::breach::Record;
use crate::driver::checkout::Hold;

/// The part of a lease that callbacks write to.
#[derive(Debug)]
pub(crate) struct Lent {
    pub(crate) id: u64,
    pub(crate) test: Arc<str>,
    pub(crate) breaches: Vec<Record>,
    pub(crate) longest: Option<(Duration, Hold)>,
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
    pub(crate) stays: bool,
    /// How many statements besides those about savepoints were sent as texts, as far as they were told.
    pub(crate) texts: u64,
    /// Whether the connection was used by something that reports no statement.
    pub(crate) unseen: bool,
    /// Whether the next use of the connection will report its statement when it is over.
    pub(crate) announced: bool,
    /// The statement that the database refused last, or the first of several in a row.
    pub(crate) refused: Option<String>,
    /// Whether the last statement was refused.
    pub(crate) was_refused: bool,
    /// Whether the database rolled back the transaction by itself. The lease knows it after its end.
    pub(crate) deadlocked: Arc<AtomicBool>,
}

impl Lent {
    pub(crate) fn new(id: u64, test: Arc<str>, deadlocked: Arc<AtomicBool>) -> Self {
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
            stays: false,
            texts: 0,
            unseen: false,
            announced: false,
            refused: None,
            was_refused: false,
            deadlocked,
        }
    }
}
