//! Turns in the one database that the tests of a process share.
//!
//! Invariants: one test at a time has it; a turn that is dropped without `end` takes the database
//! with it, and so does one that cannot put it back as it was.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use green_light_core::progress;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::database::shared::Shared;
use crate::error::{Error, Kind};
use crate::url::DatabaseUrl;

/// How long a test waits for its turn before it says so.
const PATIENCE: Duration = if cfg!(test) {
    Duration::from_millis(20)
} else {
    Duration::from_secs(5)
};
/// How long it waits at all.
const LIMIT: Duration = if cfg!(test) {
    Duration::from_millis(100)
} else {
    Duration::from_secs(600)
};

/// When a database is put back: before a test or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

/// What became of putting a database back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reset {
    /// It is as the template made it.
    Done,
    /// It is not, and deleting rows is not enough: it must not be used again.
    Changed,
}

#[derive(Debug, Default)]
pub(crate) struct Turns {
    database: Arc<AsyncMutex<Option<Shared>>>,
    /// The test whose turn it is.
    holder: Arc<Mutex<Option<Arc<str>>>>,
}

impl Turns {
    /// Waits until no other test has the database.
    pub(crate) async fn wait(&self, test: &Arc<str>) -> Result<Turn, Error> {
        let started = Instant::now();
        let guard = loop {
            let locking = Arc::clone(&self.database).lock_owned();
            if let Ok(guard) = tokio::time::timeout(PATIENCE, locking).await {
                break guard;
            }
            let waited = started.elapsed();
            let holder = self.holder.lock().unwrap_or_else(PoisonError::into_inner);
            let holder = holder.as_deref();
            let holder = holder.map_or("another test".to_owned(), |name| format!("test `{name}`"));
            if waited >= LIMIT {
                let text = format!(
                    "test `{test}` waited {} s for the shared database, which {holder} is still using",
                    waited.as_secs(),
                );
                return Err(Error::new(Kind::Held, text).help(
                    "give that test a `timeout`, or a database of its own with \
                     `isolation = database`",
                ));
            }
            progress(&format!(
                "test `{test}` has waited {} s for the shared database, which {holder} is using",
                waited.as_secs(),
            ));
        };
        let holder = Arc::clone(&self.holder);
        *holder.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(test));
        Ok(Turn {
            guard,
            holder,
            is_clean: false,
        })
    }
}

#[derive(Debug)]
pub(crate) struct Turn {
    guard: OwnedMutexGuard<Option<Shared>>,
    holder: Arc<Mutex<Option<Arc<str>>>>,
    /// Whether the next test may have the database as it is.
    is_clean: bool,
}

impl Turn {
    /// The shared database as the template made it: the one that is there, or what `make` makes.
    ///
    /// It was put back after the test before; that is checked, since somebody else may have written.
    pub(crate) async fn begin(
        &mut self,
        make: impl AsyncFnOnce() -> Result<Shared, Error>,
    ) -> Result<&Shared, Error> {
        let is_usable = match &*self.guard {
            Some(shared) => matches!(shared.reset(Moment::Before).await, Ok(Reset::Done)),
            None => false,
        };
        if !is_usable {
            // The old one goes first: the new one may have the same name.
            *self.guard = None;
            *self.guard = Some(make().await?);
        }
        self.guard
            .as_ref()
            .ok_or_else(|| Error::new(Kind::Connection, "the shared database is gone"))
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        match &*self.guard {
            Some(shared) => shared.url(),
            None => DatabaseUrl::new(""),
        }
    }

    /// Takes the database away: the next test gets another one.
    pub(crate) fn into_database(mut self) -> Option<Shared> {
        self.guard.take()
    }

    /// Puts the database back as the template made it.
    pub(crate) async fn end(mut self, test: &str) -> Result<(), Error> {
        let Some(shared) = &*self.guard else {
            return Ok(());
        };
        match shared.reset(Moment::After).await {
            Ok(reset) => {
                self.is_clean = reset == Reset::Done;
                Ok(())
            }
            Err(error) => {
                let text = format!(
                    "test `{test}` ended, but the shared database could not be put back as it was"
                );
                Err(Error::new(Kind::Held, text)
                    .help(
                        "end what the test began: a connection of its own, opened from \
                         `session.url()`, may still have a transaction open",
                    )
                    .because(error))
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_clean {
            *self.guard = None;
        }
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_that_does_not_come_is_an_error_that_names_who_has_it() {
        let turns = Turns::default();
        let first = turns.wait(&"first".into()).await.unwrap();
        let error = turns.wait(&"second".into()).await.unwrap_err().to_string();
        assert!(error.starts_with("test `second` waited "), "{error}");
        let holder = " s for the shared database, which test `first` is still using";
        assert!(error.contains(holder), "{error}");
        drop(first);
        turns.wait(&"second".into()).await.unwrap();
    }
}
