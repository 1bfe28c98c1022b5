//! The tests that may change a server as a whole, and what is said of a change.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use green_light_core::Mutex;

/// What has become of changes in a server that a variable names.
pub(crate) const NOT_UNDONE: &str = "nothing was undone, since green-light did not start it";

/// What has become of changes, each in words.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// What was done to what.
    pub(crate) changes: Vec<String>,
    pub(crate) fate: &'static str,
    /// Others that may have done it, by name.
    pub(crate) others: Vec<String>,
}

impl Settled {
    /// What is said of it, if there is anything.
    pub(crate) fn told(self, when: &str) -> Option<String> {
        if self.changes.is_empty() {
            return None;
        }
        let mut text = format!("{when}, the server itself was changed; {}", self.fate);
        for change in self.changes {
            text.push_str(&format!("\n  {change}"));
        }
        if !self.others.is_empty() {
            text.push_str(&format!(
                "\n  by it, or by what ran at the same time: {}",
                self.others.join(", ")
            ));
        }
        text.push_str(
            "\n  help: make it in the schema of the engine, of which roles and their settings stay; a test that has \
             to change the server undoes that itself",
        );
        Some(text)
    }
}

/// The tests of this process that may change the server, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunningTests {
    names: Arc<Mutex<BTreeMap<u64, Arc<str>>>>,
    last: Arc<AtomicU64>,
}

impl RunningTests {
    /// `name` may change the server until what is returned is dropped.
    pub(crate) fn begin(&self, name: &str) -> RunningTest {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        self.names.lock().insert(number, name.into());
        RunningTest {
            number,
            tests: self.clone(),
        }
    }

    pub(crate) fn all(&self) -> BTreeMap<u64, Arc<str>> {
        self.names.lock().clone()
    }
}

/// A test that may change the server, or a schema that is being applied.
#[derive(Debug)]
pub(crate) struct RunningTest {
    pub(crate) number: u64,
    tests: RunningTests,
}

impl Drop for RunningTest {
    fn drop(&mut self) {
        self.tests.names.lock().remove(&self.number);
    }
}
