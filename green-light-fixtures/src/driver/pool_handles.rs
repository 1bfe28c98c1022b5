//! How many handles there are to a pool of sqlx.
//!
//! A clone of a pool that outlives its test could write into a later test. Applications get clones in ways that
//! green-light does not see: `DatabaseConnection::get_postgres_connection_pool` returns a reference to clone. So the
//! handles are counted at the end of each test, and only a pool that others still have is replaced.
//!
//! sqlx does not say the number, but [`Pool`] is a struct with an [`Arc`](std::sync::Arc) as its one field, and an
//! `Arc` points to its count of owners. Should a version of sqlx or of std differ, then
//! the count does not follow a clone, and the number is unknown.
#![expect(unsafe_code, reason = "sqlx does not say how many clones a pool has")]

use std::{
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use sqlx::{Database, Pool};

/// How many handles a connection has that is in use.
pub(crate) const HANDLES_IN_USE: usize = 1;
/// How many it has on its way back to the pool, where sqlx runs `after_release`.
pub(crate) const HANDLES_RETURNING: usize = 2;
/// How many the future of `Pool::acquire` has.
pub(crate) const ACQUIRING: usize = 1;
/// How many one has who counts them by a clone of the pool.
pub(crate) const COUNTING: usize = 1;
/// How long a connection that has come back may still have a handle.
const SETTLING: Duration = Duration::from_micros(200);

/// Whether there are more handles to `pool` than `expected`, or their number is not known.
pub(crate) fn has_more_handles<DB: Database>(pool: &Pool<DB>, expected: usize) -> bool {
    handles(pool).is_none_or(|all| all > expected)
}

/// Whether there still are after a moment in which what gives a connection back drops its own.
pub(crate) async fn keeps_more_handles<DB: Database>(pool: &Pool<DB>, expected: usize) -> bool {
    let begun = Instant::now();
    while has_more_handles(pool, expected) {
        if begun.elapsed() > SETTLING {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// The number of handles to `pool`, which may be out of date when it is returned. `None` if it is not known.
pub(crate) fn handles<DB: Database>(pool: &Pool<DB>) -> Option<usize> {
    let before = count(pool)?;
    let another = pool.clone();
    let with_another = count(&another)?;
    drop(another);
    // Others may clone or drop at the same time; then there are more than the caller's.
    (with_another == before + 1).then_some(before)
}

fn count<DB: Database>(pool: &Pool<DB>) -> Option<usize> {
    let is_pointer = size_of::<Pool<DB>>() == size_of::<usize>()
        && align_of::<Pool<DB>>() == align_of::<usize>()
        && size_of::<Option<Pool<DB>>>() == size_of::<usize>();
    if !is_pointer {
        return None;
    }
    // SAFETY: A `Pool` has the size and alignment of a pointer and is never null, as was checked: it is the `Arc` of
    // `pool.rs` in sqlx-core, which is a pointer to the counts and what comes after them. `pool` keeps them alive.
    // The count of owners comes first (`#[repr(C)] struct ArcInner` in std), is an atomic, and is read as one.
    let owners = unsafe {
        let pointer: *const AtomicUsize = ptr::read(ptr::from_ref(pool).cast());
        (*pointer).load(Ordering::Acquire)
    };
    Some(owners)
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;

    #[tokio::test]
    async fn follow_clones_connections_and_futures() {
        let pool = SqlitePoolOptions::new()
            .idle_timeout(None)
            .max_lifetime(None)
            .connect("sqlite::memory:")
            .await
            .unwrap();
        assert_eq!(handles(&pool), Some(1));
        let clone = pool.clone();
        assert_eq!((handles(&pool), handles(&clone)), (Some(2), Some(2)));
        drop(clone);
        let acquiring = pool.acquire();
        assert_eq!(handles(&pool), Some(2));
        drop(acquiring);
        let mut connection = pool.acquire().await.unwrap();
        assert_eq!(handles(&pool), Some(2));
        connection.return_to_pool().await;
        drop(connection);
        assert_eq!(handles(&pool), Some(1));
    }
}
