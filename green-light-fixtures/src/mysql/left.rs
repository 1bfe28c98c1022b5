//! Databases of slots on a server, on their way from one slot to the next.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{sandbox::Guard, url::DatabaseUrl};

/// A database that its slot has left.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) name: String,
    /// Whether something may have been committed to it.
    pub(super) is_dirty: bool,
}

/// Where slots leave their databases.
#[derive(Clone, Debug, Default)]
pub(super) struct Lot(Arc<Mutex<Vec<Left>>>);

impl Lot {
    pub(super) fn push(&self, left: Left) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(left);
    }

    pub(super) fn pop(&self) -> Option<Left> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// The database of one slot, which is left when the slot goes.
#[derive(Debug)]
pub(crate) struct SlotDatabase {
    name: String,
    url: DatabaseUrl,
    guard: Arc<Guard>,
    lot: Lot,
}

impl SlotDatabase {
    pub(super) fn new(name: String, url: DatabaseUrl, guard: &Arc<Guard>, lot: &Lot) -> Self {
        Self {
            name,
            url,
            guard: Arc::clone(guard),
            lot: lot.clone(),
        }
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }
}

impl Drop for SlotDatabase {
    fn drop(&mut self) {
        self.lot.push(Left {
            name: std::mem::take(&mut self.name),
            is_dirty: self.guard.is_escaped(),
        });
    }
}
