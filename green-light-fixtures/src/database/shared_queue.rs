//! The queue of tests for the one database that the tests of a process share.
//!
//! Invariants:
//!
//! * One test at a time has it, and before each but the first it is restored.
//! * A test that waits for its turn, and by way of other such tests for itself, soon fails with an error that says so.

use std::{
    any::Any,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use green_light_core::{Mutex, progress, wait_for};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::driver::traits::TestDatabase;
use crate::error::{Error, Kind};
use crate::test_id::TestId;

/// After how long a waiting test says what it waits for.
const REPORT_AFTER: Duration = if cfg!(test) {
    Duration::from_millis(20)
} else {
    Duration::from_secs(5)
};
/// How long a test waits at all.
const LIMIT: Duration = if cfg!(test) {
    Duration::from_millis(100)
} else {
    Duration::from_secs(600)
};

/// Which tests of this process wait for a turn, and who has it.
static WAITING: Mutex<Vec<(Arc<str>, Holder)>> = Mutex::new(Vec::new());

/// The test that has a shared database.
type Holder = Arc<Mutex<Option<TestId>>>;

#[derive(Debug, Default)]
pub(crate) struct SharedQueue {
    database: Arc<AsyncMutex<Option<SharedDatabase>>>,
    holder: Holder,
}

#[derive(Debug)]
struct SharedDatabase {
    database: Box<dyn TestDatabase>,
    /// Whether something may still write through a connection of the test that had it last.
    is_held: bool,
}

impl SharedQueue {
    /// Waits until no other test has the database, and restores it; `make` makes the first one.
    pub(crate) async fn wait(
        &self,
        test: &TestId,
        make: impl AsyncFnOnce() -> Result<Box<dyn TestDatabase>, Error>,
    ) -> Result<SharedGuard, Error> {
        let mut guard = SharedGuard {
            slot: self.lock(test).await?,
            holder: Arc::clone(&self.holder),
            noted: None,
        };
        *guard.holder.lock() = Some(test.clone());
        match &mut *guard.slot {
            Some(shared) => {
                // Until the test has released it in good order.
                let is_held = mem::replace(&mut shared.is_held, true);
                shared.database.restore(is_held).await?;
            }
            empty => {
                *empty = Some(SharedDatabase {
                    database: make().await?,
                    is_held: true,
                });
            }
        }
        Ok(guard)
    }

    async fn lock(&self, test: &TestId) -> Result<OwnedMutexGuard<Option<SharedDatabase>>, Error> {
        if let Ok(guard) = Arc::clone(&self.database).try_lock_owned() {
            return Ok(guard);
        }
        let waiting = Waiting::new(test, &self.holder);
        let _measured = wait_for("the shared database");
        let (started, mut was_in_circle) = (Instant::now(), false);
        loop {
            let locking = Arc::clone(&self.database).lock_owned();
            if let Ok(guard) = tokio::time::timeout(REPORT_AFTER, locking).await {
                return Ok(guard);
            }
            let waited = started.elapsed();
            // It may have been one for a moment only.
            match waiting.circle() {
                Some(circle) if was_in_circle => return Err(in_a_circle(test, &circle)),
                circle => was_in_circle = circle.is_some(),
            }
            let holder = self.holder.lock();
            let holder = holder.as_ref();
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
        }
    }
}

/// A test waits for its turn, as long as this lives.
#[derive(Debug)]
struct Waiting {
    test: Arc<str>,
    holder: Holder,
}

impl Waiting {
    fn new(test: &TestId, holder: &Holder) -> Self {
        let (test, holder) = (Arc::clone(&test.path), Arc::clone(holder));
        let noted = (Arc::clone(&test), Arc::clone(&holder));
        WAITING.lock().push(noted);
        Self { test, holder }
    }

    /// The tests of which each waits for the next one, if the last one waits for this test.
    fn circle(&self) -> Option<Vec<TestId>> {
        let waiting = WAITING.lock();
        let (mut circle, mut holder) = (Vec::<TestId>::new(), Arc::clone(&self.holder));
        loop {
            let next = { holder.lock().clone() }?;
            if circle.iter().any(|known| known.path == next.path) {
                return None;
            }
            let path = Arc::clone(&next.path);
            circle.push(next);
            if path == self.test {
                return Some(circle);
            }
            let found = waiting.iter().find(|(test, _)| *test == path);
            holder = found.map(|(_, holder)| Arc::clone(holder))?;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiting = WAITING.lock();
        let is_this = |(test, holder): &(Arc<str>, Holder)| {
            *test == self.test && Arc::ptr_eq(holder, &self.holder)
        };
        if let Some(at) = waiting.iter().position(is_this) {
            waiting.swap_remove(at);
        }
    }
}

fn in_a_circle(test: &TestId, circle: &[TestId]) -> Error {
    let mut text = format!("test `{test}` waits for itself");
    let mut waits = test;
    for has in circle {
        text.push_str(&format!(
            "\n  test `{waits}` waits for a shared database that test `{has}` has"
        ));
        waits = has;
    }
    Error::new(Kind::Held, text).help(
        "end the session that a test has before it asks for another one of the same engine; tests that need the \
         shared databases of two engines ask for them in the same order, or have `isolation = database`",
    )
}

/// The shared database while one test has it.
#[derive(Debug)]
pub(crate) struct SharedGuard {
    slot: OwnedMutexGuard<Option<SharedDatabase>>,
    holder: Holder,
    /// Dropped when its turn is over, if that matters to others.
    pub(crate) noted: Option<Box<dyn Any + Send + Sync>>,
}

impl SharedGuard {
    pub(crate) fn database(&self) -> Result<&dyn TestDatabase, Error> {
        let shared = self.slot.as_ref().map(|shared| &*shared.database);
        shared.ok_or_else(|| Error::new(Kind::Connection, "the shared database is gone"))
    }

    /// Takes the database away: the next test gets another one.
    pub(crate) fn into_database(mut self) -> Option<Box<dyn TestDatabase>> {
        self.slot.take().map(|shared| shared.database)
    }

    /// The test has ended. With `is_held` something still has one of its connections.
    pub(crate) async fn release(mut self, test: &str, is_held: bool) -> Result<(), Error> {
        let Some(shared) = self.slot.as_mut().filter(|_| !is_held) else {
            return Ok(());
        };
        shared.database.check_unlocked().await.map_err(|error| {
            let text = format!("test `{test}` ended, but left the shared database locked");
            Error::new(Kind::Held, text)
                .help(
                    "end what the test began: a connection of its own, opened from `session.url()`, may still \
                     have a transaction open",
                )
                .because(error)
        })?;
        shared.is_held = false;
        Ok(())
    }
}

impl Drop for SharedGuard {
    fn drop(&mut self) {
        *self.holder.lock() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database_pool::{BoxFuture, DatabasePool};
    use crate::driver::traits::KeptDatabase;
    use crate::url::DatabaseUrl;

    /// Notes how it was restored.
    #[derive(Debug)]
    struct InMemory {
        url: DatabaseUrl,
        restored: Arc<Mutex<Vec<bool>>>,
        is_locked: bool,
    }

    impl TestDatabase for InMemory {
        fn url(&self) -> &DatabaseUrl {
            &self.url
        }

        fn open(&self) -> BoxFuture<'_, Result<DatabasePool, Error>> {
            Box::pin(async { Ok(DatabasePool::default()) })
        }

        fn check_unlocked(&self) -> BoxFuture<'_, Result<(), Error>> {
            Box::pin(async {
                match self.is_locked {
                    true => Err(Error::new(Kind::Held, "a row is locked")),
                    false => Ok(()),
                }
            })
        }

        fn restore(&mut self, is_held: bool) -> BoxFuture<'_, Result<(), Error>> {
            self.restored.lock().push(is_held);
            self.is_locked = false;
            Box::pin(async { Ok(()) })
        }

        fn keep<'a>(
            self: Box<Self>,
            _test: &'a str,
            _at_most: usize,
        ) -> BoxFuture<'a, Result<KeptDatabase, Error>> {
            Box::pin(async {
                Ok(KeptDatabase {
                    url: self.url,
                    server_variable: None,
                })
            })
        }
    }

    #[derive(Default)]
    struct Tests {
        queue: SharedQueue,
        made: usize,
        restored: Arc<Mutex<Vec<bool>>>,
    }

    impl Tests {
        async fn next(&mut self, test: &str, is_locked: bool) -> Result<SharedGuard, Error> {
            let (made, restored) = (&mut self.made, &self.restored);
            let make = async || -> Result<Box<dyn TestDatabase>, Error> {
                *made += 1;
                let database: Box<dyn TestDatabase> = Box::new(InMemory {
                    url: DatabaseUrl::new("memory:"),
                    restored: Arc::clone(restored),
                    is_locked,
                });
                Ok(database)
            };
            self.queue.wait(&TestId::named(test), make).await
        }
    }

    #[tokio::test]
    async fn a_wait_that_does_not_end_is_an_error_that_names_the_other_test() {
        let mut tests = Tests::default();
        let first = tests.next("first", false).await.unwrap();
        let error = tests.next("second", false).await.unwrap_err().to_string();
        assert!(error.starts_with("test `second` waited "), "{error}");
        let holder = " s for the shared database, which test `first` is still using";
        assert!(error.contains(holder), "{error}");
        drop(first);
        tests.next("second", false).await.unwrap();
    }

    #[tokio::test]
    async fn a_test_that_waits_for_itself_is_told_before_the_wait_is_over() {
        let mut tests = Tests::default();
        let _first = tests.next("own", false).await.unwrap();
        let error = tests.next("own", false).await.unwrap_err().to_string();
        assert!(
            error.starts_with("test `own` waits for itself\n  test `own` waits for"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn two_tests_that_wait_for_each_other_are_told() {
        let (mut one, mut two) = (Tests::default(), Tests::default());
        let _a = one.next("a", false).await.unwrap();
        let b = two.next("b", false).await.unwrap();
        let (first, second) = tokio::join!(two.next("a", false), async {
            let waited = one.next("b", false).await;
            drop(b);
            waited
        });
        let error = first.err().or(second.err()).unwrap().to_string();
        assert!(error.contains(" waits for itself"), "{error}");
        for part in [
            "`a` waits for a shared database that test `b` has",
            "`b` waits for",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[tokio::test]
    async fn one_database_is_restored_before_each_test_but_the_first() {
        let mut tests = Tests::default();
        let first = tests.next("first", false).await.unwrap();
        first.release("first", false).await.unwrap();
        let second = tests.next("second", false).await.unwrap();
        second.release("second", true).await.unwrap();
        drop(tests.next("third", false).await.unwrap());
        drop(tests.next("fourth", false).await.unwrap());
        // After the first test nothing is held; after the second one of its connections is; the third was
        // dropped.
        assert_eq!(*tests.restored.lock(), [false, true, true]);
        assert_eq!(tests.made, 1);
    }

    #[tokio::test]
    async fn a_lock_that_is_left_is_reported_and_known_when_the_database_is_restored() {
        let mut tests = Tests::default();
        let first = tests.next("first", true).await.unwrap();
        let error = first.release("first", false).await.unwrap_err();
        let error = format!("{error:?}");
        assert!(
            error.contains("`first` ended, but left the shared database locked"),
            "{error}"
        );
        assert!(error.contains("a row is locked"), "{error}");
        let second = tests.next("second", false).await.unwrap();
        second.release("second", false).await.unwrap();
        assert_eq!(*tests.restored.lock(), [true]);
    }

    #[tokio::test]
    async fn after_one_was_taken_away_the_next_test_has_another() {
        let mut tests = Tests::default();
        let first = tests.next("first", false).await.unwrap();
        let kept = first.into_database().unwrap().keep("first", 1);
        assert_eq!(kept.await.unwrap().url.expose(), "memory:");
        drop(tests.next("second", false).await.unwrap());
        assert_eq!((tests.made, tests.restored.lock().len()), (2, 0));
    }
}
