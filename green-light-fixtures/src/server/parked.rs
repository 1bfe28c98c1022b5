//! Databases of the sandbox that are idle, and that nothing was committed to.
//!
//! If no test of this process takes one before its engine or the process ends, it is recycled: the next process
//! leases it, and no database has to be created or dropped.

use std::{collections::HashMap, sync::Arc};

use green_light_core::Mutex;

use crate::driver::monitor::SandboxMonitor;

/// The parked databases, by name.
#[derive(Debug)]
pub(crate) struct ParkedDatabases<P>(Mutex<HashMap<String, Parked<P>>>);

/// How to reach a parked database.
#[derive(Clone, Debug)]
pub(crate) struct Parked<P> {
    pub(crate) pool: P,
    pub(crate) monitor: Arc<SandboxMonitor>,
}

impl<P> Default for ParkedDatabases<P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<P> ParkedDatabases<P> {
    pub(crate) fn insert(&self, name: &str, pool: P, monitor: &Arc<SandboxMonitor>) {
        let monitor = Arc::clone(monitor);
        self.0
            .lock()
            .insert(name.to_owned(), Parked { pool, monitor });
    }

    pub(crate) fn take(&self, name: &str) -> Option<Parked<P>> {
        self.0.lock().remove(name)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.lock().contains_key(name)
    }

    /// All of them. None is parked any more.
    pub(crate) fn take_all(&self) -> Vec<(String, Parked<P>)> {
        self.0.lock().drain().collect()
    }
}
