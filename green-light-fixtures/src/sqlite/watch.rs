//! What green-light hears of a connection: the hooks that refuse to commit, and what SQL is going to do.
//!
//! All of it is set by SQLite's own functions and not by those of sqlx: setting a hook again returns whose hook was
//! there before, and so shows whether a test has put its own in our place.

#![expect(
    unsafe_code,
    reason = "sqlx does not offer the authorizer of SQLite, nor says whose hook is set"
)]

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    ptr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use green_light_core::Mutex;
use libsqlite3_sys::{
    SQLITE_DBSTATUS_DEFERRED_FKS, SQLITE_DENY, SQLITE_FCNTL_MMAP_SIZE, SQLITE_FCNTL_PERSIST_WAL,
    SQLITE_FCNTL_POWERSAFE_OVERWRITE, SQLITE_FCNTL_RESERVE_BYTES, SQLITE_FCNTL_SIZE_LIMIT,
    SQLITE_LIMIT_LENGTH, SQLITE_LIMIT_WORKER_THREADS, SQLITE_NOMEM, SQLITE_OK, SQLITE_ROW,
    SQLITE_STMTSTATUS_REPREPARE, sqlite3, sqlite3_autovacuum_pages, sqlite3_busy_timeout,
    sqlite3_collation_needed, sqlite3_column_int, sqlite3_column_text, sqlite3_commit_hook,
    sqlite3_db_config, sqlite3_db_name, sqlite3_db_status, sqlite3_errmsg, sqlite3_exec,
    sqlite3_extended_result_codes, sqlite3_file_control, sqlite3_finalize, sqlite3_get_autocommit,
    sqlite3_get_clientdata, sqlite3_limit, sqlite3_next_stmt, sqlite3_prepare_v2,
    sqlite3_progress_handler, sqlite3_reset, sqlite3_rollback_hook, sqlite3_set_authorizer,
    sqlite3_set_clientdata, sqlite3_set_last_insert_rowid, sqlite3_sql, sqlite3_step,
    sqlite3_stmt_busy, sqlite3_stmt_status, sqlite3_trace_v2, sqlite3_update_hook,
    sqlite3_wal_autocheckpoint, sqlite3_wal_hook,
};
use sqlx::sqlite::LockedSqliteHandle;

use crate::driver::monitor::SandboxMonitor;
use crate::sqlite::authorize::{Deed, Verdict};
use crate::sqlite::statement_log::listen;

/// Under which name a connection keeps its [`Watch`].
const NAME: &CStr = c"green-light";
/// How many instructions SQLite runs between two looks at whether the slot still lives.
const INSTRUCTIONS: c_int = 20_000;
/// The settings that are on or off, by number, as older and newer versions of SQLite have them.
const FIRST_SETTING: c_int = 1002;
const LAST_SETTING: c_int = 1022;
/// What a connection can be asked of its file, or of its database in memory.
const FILE_SETTINGS: [c_int; 5] = [
    SQLITE_FCNTL_MMAP_SIZE,
    SQLITE_FCNTL_PERSIST_WAL,
    SQLITE_FCNTL_POWERSAFE_OVERWRITE,
    SQLITE_FCNTL_RESERVE_BYTES,
    SQLITE_FCNTL_SIZE_LIMIT,
];

/// Tells whether a function belongs to SQLite's core.
pub(crate) type IsBuiltin = fn(&str) -> bool;

/// What is heard of one connection. It lives until the connection is closed.
struct Watch {
    db: *mut sqlite3,
    monitor: Arc<SandboxMonitor>,
    is_builtin: IsBuiltin,
    /// How long it waits for a lock, in milliseconds, as it was opened.
    busy_timeout: c_int,
    /// What its hook for a write-ahead log was given.
    log: *mut c_void,
    /// Limits and settings when it was new.
    settings: Vec<i64>,
    /// How often SQLite has asked what a statement may do.
    asked: AtomicU64,
    is_worn: AtomicBool,
    /// Whether a statement of a test has begun or ended a transaction by itself.
    ends: AtomicBool,
    /// Pragmas that were refused, since they would have set something in the whole process.
    refused: Mutex<Vec<String>>,
}

/// What was found in a connection at the end of a test.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Whether a hook of the test was found in the place of ours, so that it may have committed.
    pub(crate) is_unhooked: bool,
    /// Whether the test's transaction is not there any more, or may be another one.
    pub(crate) has_ended: bool,
    /// Whether something may be left in the connection.
    pub(crate) is_worn: bool,
    /// Whether a row refers to another one that does not exist.
    pub(crate) is_violated: bool,
    /// Pragmas that were refused.
    pub(crate) refused: Vec<String>,
}

/// Hears from here on what happens to the connection, and refuses to commit.
pub(crate) fn install(
    handle: &mut LockedSqliteHandle<'_>,
    monitor: &Arc<SandboxMonitor>,
    is_builtin: IsBuiltin,
) -> Result<(), sqlx::Error> {
    let mut busy_timeout = 0;
    rows(handle, c"PRAGMA busy_timeout", |timeout, _| {
        busy_timeout = timeout.parse().unwrap_or_default();
    })?;
    let db = handle.as_raw_handle().as_ptr();
    let watch = Box::new(Watch {
        db,
        monitor: Arc::clone(monitor),
        is_builtin,
        busy_timeout,
        log: wal_hook(db),
        settings: settings(db),
        asked: AtomicU64::new(0),
        is_worn: AtomicBool::new(false),
        ends: AtomicBool::new(false),
        refused: Mutex::default(),
    });
    let watch = Box::into_raw(watch).cast::<c_void>();
    // SAFETY: The connection is open, and locked for us. SQLite calls `forget` once, when it closes the connection, or
    // at once if it fails. Until then `watch` lives, and `forget` takes away the hooks that could still be called.
    unsafe {
        match sqlite3_set_clientdata(db, NAME.as_ptr(), watch, Some(forget)) {
            SQLITE_OK => {}
            code => return Err(error(db, code)),
        }
        sqlite3_commit_hook(db, Some(commit_asked), watch);
        sqlite3_rollback_hook(db, Some(rolled_back), watch);
        sqlite3_progress_handler(db, INSTRUCTIONS, Some(may_stop), watch);
        sqlite3_set_authorizer(db, Some(authorize), watch);
    }
    Ok(())
}

/// Looks at the connection at the end of a test, and puts back what can be put back.
pub(crate) fn inspect(handle: &mut LockedSqliteHandle<'_>) -> Findings {
    let db = handle.as_raw_handle().as_ptr();
    // SAFETY: The connection is open, and locked for us. What is kept under our name is a `Watch` of ours, as
    // `install` says, or nothing. Hooks get it again, which lives as long as they do; nothing else is left to call.
    unsafe {
        let pointer = sqlite3_get_clientdata(db, NAME.as_ptr());
        let Some(watch) = pointer.cast::<Watch>().as_ref() else {
            return Findings {
                is_unhooked: true,
                has_ended: true,
                is_worn: true,
                ..Findings::default()
            };
        };
        let commit = sqlite3_commit_hook(db, Some(commit_asked), pointer);
        let rollback = sqlite3_rollback_hook(db, Some(rolled_back), pointer);
        let is_unhooked = commit != pointer || rollback != pointer;
        sqlite3_progress_handler(db, INSTRUCTIONS, Some(may_stop), pointer);
        sqlite3_update_hook(db, None, ptr::null_mut());
        // Takes away a handler of the test, too.
        sqlite3_busy_timeout(db, watch.busy_timeout);
        let has_log = wal_hook(db) == watch.log;
        sqlite3_trace_v2(db, 0, None, ptr::null_mut());
        sqlite3_collation_needed(db, ptr::null_mut(), None);
        sqlite3_autovacuum_pages(db, None, ptr::null_mut(), None);
        sqlite3_extended_result_codes(db, 1);
        sqlite3_set_last_insert_rowid(db, 0);
        let (mut deferred, mut most) = (0, 0);
        let status = sqlite3_db_status(
            db,
            SQLITE_DBSTATUS_DEFERRED_FKS,
            &raw mut deferred,
            &raw mut most,
            0,
        );
        let is_open = sqlite3_get_autocommit(db) == 0;
        Findings {
            is_unhooked,
            has_ended: !is_open || is_unhooked && watch.ends.load(Ordering::Relaxed),
            is_worn: watch.is_worn.load(Ordering::Relaxed)
                || watch.settings != settings(db)
                || !has_log,
            is_violated: status == SQLITE_OK && deferred != 0,
            refused: std::mem::take(&mut *watch.refused.lock()),
        }
    }
}

/// Rolls back and does what else is in `sql`. `false` if our authorizer was not asked, so that nothing is known of the
/// test's statements.
pub(crate) fn restart(
    handle: &mut LockedSqliteHandle<'_>,
    sql: &CStr,
) -> Result<bool, sqlx::Error> {
    let db = handle.as_raw_handle().as_ptr();
    // SAFETY: As in `inspect`. The text ends with a zero, and outlives the call.
    unsafe {
        let watch = sqlite3_get_clientdata(db, NAME.as_ptr()).cast::<Watch>();
        let asked = || {
            watch
                .as_ref()
                .map(|watch| watch.asked.load(Ordering::Relaxed))
        };
        let before = asked();
        match sqlite3_exec(db, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut()) {
            SQLITE_OK => Ok(before != asked()),
            code => Err(error(db, code)),
        }
    }
}

/// The first column of what `sql` answers, and the second as a number.
pub(crate) fn rows(
    handle: &mut LockedSqliteHandle<'_>,
    sql: &CStr,
    mut each: impl FnMut(&str, i32),
) -> Result<(), sqlx::Error> {
    let db = handle.as_raw_handle().as_ptr();
    let mut statement = ptr::null_mut();
    // SAFETY: The connection is open, and locked for us. The statement is used until it is finalized. A text lives
    // until the next step.
    unsafe {
        match sqlite3_prepare_v2(db, sql.as_ptr(), -1, &raw mut statement, ptr::null_mut()) {
            SQLITE_OK => {}
            code => return Err(error(db, code)),
        }
        while sqlite3_step(statement) == SQLITE_ROW {
            if let Some(text) = text(sqlite3_column_text(statement, 0).cast()) {
                each(text, sqlite3_column_int(statement, 1));
            }
        }
        match sqlite3_finalize(statement) {
            SQLITE_OK => Ok(()),
            code => Err(error(db, code)),
        }
    }
}

/// Whether SQLite has to prepare the statement `sql` again, or does not have it any more.
pub(crate) fn is_expired(handle: &mut LockedSqliteHandle<'_>, sql: &str) -> bool {
    let db = handle.as_raw_handle().as_ptr();
    let mut statement = ptr::null_mut();
    // SAFETY: The connection is open, and locked for us, so none of its statements goes meanwhile. The one that is run
    // is at its beginning before and after that.
    unsafe {
        loop {
            statement = sqlite3_next_stmt(db, statement);
            if statement.is_null() {
                return true;
            }
            if text(sqlite3_sql(statement)) == Some(sql) {
                break;
            }
        }
        let prepared = || sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 0);
        if sqlite3_stmt_busy(statement) != 0 {
            return true;
        }
        let before = prepared();
        let stepped = sqlite3_step(statement);
        sqlite3_reset(statement);
        stepped != SQLITE_ROW || prepared() != before || before != 0
    }
}

/// All limits, all settings that are on or off, and those of the file that can be asked for.
fn settings(db: *mut sqlite3) -> Vec<i64> {
    let limits = (SQLITE_LIMIT_LENGTH..=SQLITE_LIMIT_WORKER_THREADS).map(|limit| {
        // SAFETY: The connection is open, and a limit of -1 only asks.
        unsafe { sqlite3_limit(db, limit, -1) }
    });
    let settings = (FIRST_SETTING..=LAST_SETTING).map(|setting| {
        let mut value: c_int = -1;
        // SAFETY: The connection is open, and a value of -1 only asks. A number that is not known is refused.
        unsafe { sqlite3_db_config(db, setting, -1 as c_int, &raw mut value) };
        value
    });
    let of_file = FILE_SETTINGS.map(|setting| {
        let mut value: i64 = -1;
        // SAFETY: The connection is open. Some write a number of 32 bits into the place, some one of 64. A negative
        // one only asks, and what the file does not know is refused.
        unsafe { sqlite3_file_control(db, ptr::null(), setting, (&raw mut value).cast()) };
        value
    });
    // SAFETY: The connection is open. The name lives as long as nothing changes it.
    let name = unsafe { text(sqlite3_db_name(db, 0)) };
    let numbers = limits.chain(settings).map(i64::from);
    let has_own_name = i64::from(name == Some("main"));
    numbers.chain(of_file).chain([has_own_name]).collect()
}

/// What the hook for a write-ahead log is given. It is set again as SQLite sets it.
fn wal_hook(db: *mut sqlite3) -> *mut c_void {
    // SAFETY: The connection is open. SQLite's own hook is given the number of pages, and no other one is there before
    // the first test.
    unsafe {
        let given = sqlite3_wal_hook(db, None, ptr::null_mut());
        sqlite3_wal_autocheckpoint(db, c_int::try_from(given.addr()).unwrap_or(0));
        given
    }
}

fn error(db: *mut sqlite3, code: c_int) -> sqlx::Error {
    // SAFETY: The connection is open, and its message lives until the next call.
    let message = unsafe { text(sqlite3_errmsg(db)) };
    let message = message.filter(|_| code != SQLITE_NOMEM).unwrap_or_default();
    sqlx::Error::Protocol(format!("SQLite: error {code}: {message}"))
}

/// # Safety
///
/// A text that ends with a zero and lives as long as what is returned, or null.
unsafe fn text<'a>(pointer: *const c_char) -> Option<&'a str> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: As the caller says.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().ok()
}

/// The connection is being closed.
unsafe extern "C" fn forget(watch: *mut c_void) {
    // SAFETY: SQLite calls this once, with what `install` gave it, while the connection still counts as open and after
    // its statements have been finalized. What is open is rolled back only then, so the hooks must be gone.
    unsafe {
        let watch = Box::from_raw(watch.cast::<Watch>());
        sqlite3_commit_hook(watch.db, None, ptr::null_mut());
        sqlite3_rollback_hook(watch.db, None, ptr::null_mut());
        sqlite3_progress_handler(watch.db, 0, None, ptr::null_mut());
        sqlite3_set_authorizer(watch.db, None, ptr::null_mut());
    }
}

/// SQLite asks whether it may commit: never.
unsafe extern "C" fn commit_asked(watch: *mut c_void) -> c_int {
    // SAFETY: What `install` gave to SQLite, and it lives as long as the hook.
    let Watch { monitor, .. } = unsafe { &*watch.cast::<Watch>() };
    if !monitor.is_ending() {
        // Finds out which statement it is.
        listen(monitor);
    }
    c_int::from(!monitor.commit_asked())
}

unsafe extern "C" fn rolled_back(watch: *mut c_void) {
    // SAFETY: As in `commit_asked`.
    let Watch { monitor, .. } = unsafe { &*watch.cast::<Watch>() };
    if !monitor.is_ending() {
        listen(monitor);
    }
    monitor.rolled_back();
}

unsafe extern "C" fn may_stop(watch: *mut c_void) -> c_int {
    // SAFETY: As in `commit_asked`.
    let watch = unsafe { &*watch.cast::<Watch>() };
    c_int::from(watch.monitor.is_dead())
}

unsafe extern "C" fn authorize(
    watch: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
    database: *const c_char,
    _by: *const c_char,
) -> c_int {
    // SAFETY: As in `commit_asked`; the texts live as long as this call.
    let (watch, first, second, database) = unsafe {
        let watch = &*watch.cast::<Watch>();
        (watch, text(first), text(second), text(database))
    };
    watch.asked.fetch_add(1, Ordering::Relaxed);
    if watch.monitor.is_ending() {
        return SQLITE_OK;
    }
    let deed = Deed {
        action,
        first,
        second,
        is_main: database == Some("main"),
    };
    match deed.verdict(watch.is_builtin) {
        Verdict::Clean => {}
        Verdict::Transaction => watch.ends.store(true, Ordering::Relaxed),
        Verdict::Wears => watch.is_worn.store(true, Ordering::Relaxed),
        Verdict::Refused => {
            let pragma = format!(
                "PRAGMA {} = {}",
                first.unwrap_or("?"),
                second.unwrap_or("?")
            );
            watch.refused.lock().push(pragma);
            return SQLITE_DENY;
        }
    }
    SQLITE_OK
}
