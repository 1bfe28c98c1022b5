//! What callbacks note of one lease while it lasts.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use super::{breach::Record, hold::Hold};

/// The part of a lease that callbacks write to.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) id: u64,
    pub(super) test: Arc<str>,
    pub(super) breaches: Vec<Record>,
    pub(super) longest: Option<(Duration, Hold)>,
    /// Whether the test has had a connection, so that losing it loses rows.
    pub(super) used: bool,
    /// Whether the test has been told who holds its connection.
    pub(super) told: bool,
    /// Whether a raw pool, which cannot be tracked, was handed out.
    pub(super) raw_pool: bool,
    /// Whether the test asked where its database is.
    pub(super) url_given: bool,
    /// Whether others may have committed something to its database.
    pub(super) strangers: bool,
    /// Whether a statement was sent that may leave something in the session.
    pub(super) stays: bool,
    /// How many statements besides those about savepoints were sent as texts, as far as they were told.
    pub(super) texts: u64,
    /// Whether the connection was used by something that reports no statement.
    pub(super) unseen: bool,
    /// Whether the next use of the connection will report its statement when it is over.
    pub(super) announced: bool,
    /// The statement that the database refused last, or the first of several in a row.
    pub(super) refused: Option<String>,
    /// Whether the last statement was refused.
    pub(super) was_refused: bool,
    /// Whether the database rolled back the transaction by itself. The lease knows it after its end.
    pub(super) deadlocked: Arc<AtomicBool>,
}

impl Lent {
    pub(super) fn new(id: u64, test: Arc<str>, deadlocked: Arc<AtomicBool>) -> Self {
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
