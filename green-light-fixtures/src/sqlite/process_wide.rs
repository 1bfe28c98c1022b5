//! What SQLite keeps for the whole process: the limits of its heap, and its directory of temporary files.
//!
//! A connection of a session may not set them. One that a test has opened itself can, and then other tests have them as
//! well. So they are looked at when a test ends, and put back.

#![expect(
    unsafe_code,
    reason = "sqlx does not offer the functions of SQLite that ask for a limit of the heap"
)]

use std::sync::OnceLock;

use libsqlite3_sys::{
    sqlite3_hard_heap_limit64, sqlite3_soft_heap_limit64, sqlite3_temp_directory,
};
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, SqliteConnection,
    sqlite::SqliteConnectOptions,
};

/// What there was before the first test.
static BEFORE: OnceLock<ProcessWide> = OnceLock::new();

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ProcessWide {
    hard: i64,
    soft: i64,
    has_directory: bool,
}

impl ProcessWide {
    fn now() -> Self {
        // SAFETY: A negative limit only asks. The directory is only compared with null, and a pointer that another
        // thread sets meanwhile is one or the other.
        unsafe {
            Self {
                hard: sqlite3_hard_heap_limit64(-1),
                soft: sqlite3_soft_heap_limit64(-1),
                has_directory: !(&raw const sqlite3_temp_directory)
                    .read_volatile()
                    .is_null(),
            }
        }
    }

    fn set_limits(self) {
        // SAFETY: A limit is a number, and has a lock of its own in SQLite. A hard limit lowers the soft one.
        unsafe {
            sqlite3_hard_heap_limit64(self.hard);
            sqlite3_soft_heap_limit64(self.soft);
        }
    }
}

/// Notes what there is, before the first test.
pub(crate) fn note_process_wide() {
    BEFORE.get_or_init(ProcessWide::now);
}

/// Puts back what is set otherwise than before the first test. Returns the pragmas that set it.
pub(crate) async fn put_back_process_wide() -> Vec<String> {
    let (before, now) = (*BEFORE.get_or_init(ProcessWide::now), ProcessWide::now());
    let mut set = Vec::new();
    if now.hard != before.hard {
        set.push(format!("PRAGMA hard_heap_limit = {}", now.hard));
    }
    // The hard limit has set it, or a pragma has.
    if now.soft != before.soft && now.soft != now.hard {
        set.push(format!("PRAGMA soft_heap_limit = {}", now.soft));
    }
    if (now.hard, now.soft) != (before.hard, before.soft) {
        before.set_limits();
    }
    if now.has_directory && !before.has_directory {
        set.push("PRAGMA temp_store_directory".to_owned());
        let _ = forget_directory().await;
    }
    set
}

async fn forget_directory() -> Result<(), sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(":memory:");
    let mut connection: SqliteConnection = options.connect().await?;
    let forgotten = connection.execute("PRAGMA temp_store_directory = ''").await;
    connection.close().await?;
    forgotten.map(drop)
}
