//! Gives a SQLite database in a file the contents of its template again, page by page.
//!
//! SQLite's own backup writes the pages, as one transaction: an application may have connections to the file
//! open, and sees the old contents or the new ones.

#![expect(
    unsafe_code,
    reason = "sqlx does not offer the functions of SQLite that copy a database"
)]

use std::time::{Duration, Instant};

use libsqlite3_sys::{
    SQLITE_BUSY, SQLITE_DONE, SQLITE_LOCKED, SQLITE_OK, sqlite3_backup_finish, sqlite3_backup_init,
    sqlite3_backup_step,
};
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{LockedSqliteHandle, SqliteConnectOptions, SqliteOwnedBuf},
};

/// How long to wait before the next attempt while another connection writes.
const PAUSE: Duration = Duration::from_millis(2);

/// Writes `image` into the database that `options` open. Waits for a writer as long as `patience`.
pub(crate) async fn restore(
    image: &[u8],
    options: &SqliteConnectOptions,
    patience: Duration,
) -> Result<(), sqlx::Error> {
    let begun = Instant::now();
    let mut source = SqliteConnectOptions::new()
        .filename(":memory:")
        .connect()
        .await?;
    let buffer = SqliteOwnedBuf::try_from(image)?;
    source.deserialize(None, buffer, true).await?;
    // It must not wait where it blocks a thread of the runtime.
    let options = options.clone().busy_timeout(Duration::ZERO);
    let mut target = options.connect().await?;
    let copied = loop {
        match try_copy(&mut source, &mut target).await {
            Err(error) if is_locked(&error) && begun.elapsed() < patience => {
                tokio::time::sleep(PAUSE).await;
            }
            other => break other,
        }
    };
    target.close().await?;
    source.close().await?;
    copied
}

async fn try_copy(
    source: &mut SqliteConnection,
    target: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    let (mut source, mut target) = (source.lock_handle().await?, target.lock_handle().await?);
    match copy(&mut source, &mut target) {
        SQLITE_OK => Ok(()),
        code => Err(match target.last_error() {
            Some(error) => error.into(),
            None => sqlx::Error::Protocol(format!("SQLite copied no database: error {code}")),
        }),
    }
}

/// Copies all pages at once. Returns SQLite's code for what went wrong, or `SQLITE_OK`.
fn copy(source: &mut LockedSqliteHandle<'_>, target: &mut LockedSqliteHandle<'_>) -> i32 {
    let (source, target) = (source.as_raw_handle(), target.as_raw_handle());
    let main = c"main".as_ptr();
    // SAFETY: Both connections are open and differ, and nothing else uses them while they are locked. `main`
    // lives as long as the program. The backup is used until it is finished, and not after that.
    unsafe {
        let backup = sqlite3_backup_init(target.as_ptr(), main, source.as_ptr(), main);
        if backup.is_null() {
            return SQLITE_BUSY;
        }
        let stepped = sqlite3_backup_step(backup, -1);
        match (stepped, sqlite3_backup_finish(backup)) {
            (SQLITE_DONE, finished) => finished,
            (stepped, _) => stepped,
        }
    }
}

fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    let code = code.and_then(|code| code.parse::<i32>().ok());
    // The rest of an extended code says more of the same.
    code.is_some_and(|code| [SQLITE_BUSY, SQLITE_LOCKED].contains(&(code & 0xff)))
}
