//! Ends the outer transaction of a test on SQLite: looks at the connection, rolls back, begins the next transaction.
//!
//! All of that is done by calls of SQLite's library, while sqlx's thread waits: SQL would cost more, and shows less.

use std::{
    collections::HashSet,
    ffi::{CStr, CString},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use sqlx::{
    Executor, Row,
    sqlite::{LockedSqliteHandle, SqliteConnection, SqlitePool},
};

use crate::driver::outcome::FinishOutcome;
use crate::sqlite::outer_transaction::BEGIN;
use crate::sqlite::watch::{Findings, inspect, is_expired, restart, rows};

/// What a connection has been given that SQL can name: each list, and how it is asked for.
const LISTS: [&CStr; 3] = [
    c"PRAGMA function_list",
    c"PRAGMA collation_list",
    c"PRAGMA module_list",
];

/// A statement that each connection has prepared before its first test. SQLite prepares it again once one of the
/// functions or collations of the connection was replaced by another one of its name.
pub(crate) const MARK: &str = "SELECT 'as green-light has opened it'";

/// Whether SQLite was built with a hook that tells of rows before they change. Who has set it is not known then.
static HAS_PREUPDATE_HOOK: AtomicBool = AtomicBool::new(false);

/// The functions of SQLite's core, which are the same on all connections of a process.
static BUILTIN: OnceLock<HashSet<String>> = OnceLock::new();

/// What was learned from the first connection of a slot.
#[derive(Debug)]
pub(crate) struct FreshConnection {
    /// How long each list is.
    lengths: [usize; 3],
    restart: CString,
}

impl FreshConnection {
    /// Looks at a fresh connection, which every later test must leave as it is.
    pub(crate) async fn of(pool: &SqlitePool) -> Result<Self, sqlx::Error> {
        let mut connection = pool.try_acquire().ok_or(sqlx::Error::PoolTimedOut)?;
        let table = "SELECT '\"' || replace(name, '\"', '\"\"') || '\"' FROM sqlite_schema \
                     WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                     AND sql NOT LIKE 'CREATE VIRTUAL%' LIMIT 1";
        let table = connection.fetch_optional(table).await?;
        let table: Option<String> = table.map(|row| row.try_get(0)).transpose()?;
        // Nothing else sets back what `changes()` tells.
        let unchanged = table.map(|table| format!("; DELETE FROM {table} WHERE false"));
        let restart = format!("ROLLBACK; {BEGIN}{}", unchanged.unwrap_or_default());
        let lengths = lengths(&mut connection.lock_handle().await?)?;
        connection.return_to_pool().await;
        Ok(Self {
            lengths,
            restart: CString::new(restart).map_err(|error| sqlx::Error::Encode(error.into()))?,
        })
    }

    /// Ends the outer transaction. With `may_be_given`, the test may have given the connection functions and the like.
    /// With `is_known`, somebody may wait for the lock of the database, and get it before the next transaction.
    pub(crate) fn end(
        &self,
        handle: &mut LockedSqliteHandle<'_>,
        may_be_given: bool,
        is_known: bool,
    ) -> Result<Ended, sqlx::Error> {
        let findings = inspect(handle);
        if findings.has_ended || findings.is_violated {
            return Ok(Ended {
                is_worn: true,
                findings,
            });
        }
        let is_given = may_be_given
            && (HAS_PREUPDATE_HOOK.load(Ordering::Relaxed)
                || lengths(handle)? != self.lengths
                || is_expired(handle, MARK));
        if findings.is_worn || findings.is_unhooked || is_given || is_known {
            restart(handle, c"ROLLBACK")?;
            return Ok(Ended {
                is_worn: true,
                findings,
            });
        }
        let was_asked = restart(handle, &self.restart)?;
        Ok(Ended {
            is_worn: !was_asked,
            findings,
        })
    }
}

/// How a test left its connection.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Whether the next test must have another one.
    pub(crate) is_worn: bool,
    pub(crate) findings: Findings,
}

/// Whether `function` belongs to SQLite's core. None does before [`learn_builtin`].
pub(crate) fn is_builtin(function: &str) -> bool {
    BUILTIN
        .get()
        .is_some_and(|functions| functions.contains(function))
}

/// Makes sure that the functions of SQLite's core are known.
pub(crate) fn learn_builtin(handle: &mut LockedSqliteHandle<'_>) -> Result<(), sqlx::Error> {
    if BUILTIN.get().is_none() {
        let mut functions = HashSet::new();
        rows(handle, LISTS[0], |name, is_builtin| {
            if is_builtin == 1 {
                functions.insert(name.to_owned());
            }
        })?;
        rows(handle, c"PRAGMA compile_options", |option, _| {
            if option == "ENABLE_PREUPDATE_HOOK" {
                HAS_PREUPDATE_HOOK.store(true, Ordering::Relaxed);
            }
        })?;
        let _ = BUILTIN.set(functions);
    }
    Ok(())
}

fn lengths(handle: &mut LockedSqliteHandle<'_>) -> Result<[usize; 3], sqlx::Error> {
    let mut lengths = [0; 3];
    for (list, length) in LISTS.iter().zip(&mut lengths) {
        // A pragma that is asked as a table becomes a module.
        rows(handle, list, |name, _| {
            *length += usize::from(!name.starts_with("pragma_"));
        })?;
    }
    Ok(lengths)
}

/// Rolls back what no commit would accept.
pub(crate) async fn violated(
    connection: &mut SqliteConnection,
) -> Result<FinishOutcome, sqlx::Error> {
    let rows = violations(connection).await;
    connection.execute("ROLLBACK").await?;
    Ok(FinishOutcome::Violated(rows?))
}

async fn violations(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = connection
        .fetch_all("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 10")
        .await?;
    rows.iter()
        .map(|row| {
            let (table, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            let row = row
                .try_get::<Option<i64>, _>(1)?
                .map_or_else(String::new, |id| format!(" row {id}"));
            Ok(format!(
                "`{table}`{row} refers to a row of `{parent}` that does not exist"
            ))
        })
        .collect()
}
