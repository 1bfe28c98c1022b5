//! What is noted of a lease and known after its end.

use std::sync::atomic::AtomicBool;

use green_light_core::Mutex;

#[derive(Debug, Default)]
#[allow(dead_code, reason = "each database notes some of it")]
pub(crate) struct LeaseNotes {
    /// Whether the database rolled back the transaction by itself.
    pub(crate) deadlocked: AtomicBool,
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

    pub(crate) fn remarks(&self) -> Vec<String> {
        self.remarks.lock().clone()
    }
}
