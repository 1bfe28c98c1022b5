//! What is noted of a lease and known after its end.

use std::sync::atomic::{AtomicBool, Ordering};

use green_light_core::Mutex;

#[derive(Debug, Default)]
#[allow(dead_code, reason = "each database notes some of it")]
pub(crate) struct LeaseNotes {
    /// Whether the database rolled back the transaction by itself.
    pub(crate) deadlocked: AtomicBool,
    /// Whether an error on a connection that the test kept seems to have rolled back what ran before it.
    lost_rows: AtomicBool,
    /// What to say if the test fails.
    remarks: Mutex<Vec<String>>,
}

#[allow(dead_code, reason = "each database notes some of it")]
impl LeaseNotes {
    /// Something is to be said if the test fails, once.
    pub(crate) fn remark(&self, text: String) {
        let mut remarks = self.remarks.lock();
        if !remarks.contains(&text) {
            remarks.push(text);
        }
    }

    /// An error on a connection that the test kept seems to have rolled back what ran before it: `text` says what.
    pub(crate) fn note_lost_rows(&self, text: String) {
        self.lost_rows.store(true, Ordering::Relaxed);
        self.remark(text);
    }

    pub(crate) fn has_lost_rows(&self) -> bool {
        self.lost_rows.load(Ordering::Relaxed)
    }

    pub(crate) fn remarks(&self) -> Vec<String> {
        self.remarks.lock().clone()
    }
}
