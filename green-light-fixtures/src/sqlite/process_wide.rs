//! What SQLite keeps for the whole process: the limits of its heap, its directory of temporary files, and by which of
//! its systems of files it opens a database.
//!
//! A connection of a session may not set them. One that a test has opened itself can, and then other tests have them as
//! well. So they are looked at when a test ends, and put back.

#![expect(
    unsafe_code,
    reason = "sqlx does not offer the functions of SQLite that ask for a limit of the heap"
)]

use std::{ffi::CStr, ptr, sync::OnceLock};

use libsqlite3_sys::{
    sqlite3_hard_heap_limit64, sqlite3_soft_heap_limit64, sqlite3_temp_directory, sqlite3_vfs_find,
    sqlite3_vfs_register,
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
    /// The address of the default one of the systems of files.
    files: usize,
}

impl ProcessWide {
    fn now() -> Self {
        // SAFETY: A negative limit only asks, and so does a search without a name. The directory is only compared with null, and a pointer that another
        // thread sets meanwhile is one or the other.
        unsafe {
            Self {
                hard: sqlite3_hard_heap_limit64(-1),
                soft: sqlite3_soft_heap_limit64(-1),
                has_directory: !(&raw const sqlite3_temp_directory)
                    .read_volatile()
                    .is_null(),
                files: sqlite3_vfs_find(ptr::null()).addr(),
            }
        }
    }

    /// Makes the system of files the default one again, if it is still there. Its name, if it was another one's turn.
    fn set_files(self) -> Option<String> {
        // SAFETY: What is found is registered, and each registered one knows the next. They live as long as they are
        // registered, and their names do.
        unsafe {
            let latest = sqlite3_vfs_find(ptr::null());
            if latest.addr() == self.files || latest.is_null() {
                return None;
            }
            let mut found = latest;
            while !found.is_null() && found.addr() != self.files {
                found = (*found).pNext;
            }
            if !found.is_null() {
                sqlite3_vfs_register(found, 1);
            }
            Some(
                CStr::from_ptr((*latest).zName)
                    .to_string_lossy()
                    .into_owned(),
            )
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

/// Puts back what is set otherwise than before the first test. Returns the pragmas and calls that set it.
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
    if now.files != before.files
        && let Some(name) = before.set_files()
    {
        set.push(format!("sqlite3_vfs_register(`{name}`)"));
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
