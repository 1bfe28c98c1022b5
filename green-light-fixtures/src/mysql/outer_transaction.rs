//! The outer transaction of a test on MySQL, and the savepoint that guards it.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor, MySql, MySqlConnection, mysql::MySqlRow};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager};

use crate::driver::breach::{Breach, Broken};
use crate::driver::checkout::TRACED;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::sandbox::depth;
use crate::mysql::errors::has_number;
use crate::mysql::session_audit::{self, SessionAudit, TransactionFate};
use crate::mysql::statement_count;
use crate::server::guard_savepoint::{BASE_DEPTH, discard_pending, raise_depth};

type Manager = <MySql as sqlx::Database>::TransactionManager;

/// Begins the outer transaction, the one that may write.
pub(crate) const BEGIN: &str = "START TRANSACTION READ WRITE";
/// The number of the error "SAVEPOINT does not exist".
const NO_SUCH_SAVEPOINT: u16 = 1305;

/// The number of the error "The storage engine for the table doesn't support SAVEPOINT": a table of Aria was used.
const NO_SAVEPOINTS: u16 = 1178;

/// Opens the outer transaction and sets the guard savepoint.
pub(crate) async fn begin(
    connection: &mut MySqlConnection,
    wait: Duration,
    audit: &SessionAudit,
) -> Result<(), sqlx::Error> {
    let seconds = wait.as_secs().max(1);
    if *TRACED {
        // Keeps the texts of the last statements, which makes every statement slower. A server that
        // cannot do so is none the worse.
        let _ = connection.execute(session_audit::REMEMBER).await;
    }
    // In one message, because a test may have to wait for it.
    let text = format!(
        "SET SESSION innodb_lock_wait_timeout = {seconds}, SESSION lock_wait_timeout = {seconds}, \
         SESSION wait_timeout = 2147483; \
         SET SESSION TRANSACTION READ ONLY; {BEGIN}; SAVEPOINT {}; {}",
        statement_count::savepoint(),
        audit.guard_savepoint.set
    );
    Manager::begin(connection, Some(AssertSqlSafe(text).into_sql_str())).await?;
    raise_depth::<MySql>(connection).await?;
    audit.open();
    Ok(())
}

/// Sets the guard savepoint for the next use. `false` if the connection is not to be used again.
pub(crate) async fn renew(
    connection: &mut MySqlConnection,
    monitor: &SandboxMonitor,
    audit: &SessionAudit,
) -> Result<bool, sqlx::Error> {
    match run(connection, &audit.guard_savepoint.renew, monitor, audit).await? {
        Some(_) => raise_depth::<MySql>(connection).await.map(|()| true),
        None => Ok(false),
    }
}

/// The transaction goes on without savepoints: no rows, or nothing if the test has tried to begin another one.
fn without_savepoints(
    connection: &MySqlConnection,
    monitor: &SandboxMonitor,
) -> Option<Vec<MySqlRow>> {
    // sqlx has lost count with the `begin` that was refused, and counts again by savepoints.
    if depth::<MySql>(connection) == BASE_DEPTH {
        return Some(Vec::new());
    }
    monitor.note_broken(Broken {
        fact: "began a transaction after it had used a table of Aria, such as those of the database `mysql`: \
               MariaDB refuses that inside of the transaction that isolates the test, and all its rows are lost",
        help: "write `#[green_light::test(isolation = database)]` for a test that uses such a table, or \
               `ENGINE = InnoDB` for a table of your own",
        reason: None,
    });
    None
}

/// Runs `text`, which begins with the release of the guard savepoint, and returns its rows. Nothing
/// if the outer transaction has gone: it then reports to `monitor` how that ended.
///
/// Where the server sets no savepoint any more, it returns no rows, and what the session has counted tells whether the
/// transaction goes on.
pub(crate) async fn run(
    connection: &mut MySqlConnection,
    text: &str,
    monitor: &SandboxMonitor,
    audit: &SessionAudit,
) -> Result<Option<Vec<MySqlRow>>, sqlx::Error> {
    discard_pending(connection).await?;
    if depth::<MySql>(connection) > BASE_DEPTH {
        monitor.ended(Breach::Unbalanced);
        return Ok(None);
    }
    if audit.is_without_savepoints() {
        if audit.is_intact(connection).await? {
            return Ok(without_savepoints(connection, monitor));
        }
    } else if depth::<MySql>(connection) > 0 {
        match connection.fetch_all(AssertSqlSafe(text)).await {
            Ok(rows) => return Ok(Some(rows)),
            Err(error) if is_missing(&error, &audit.guard_savepoint.name()) => {}
            Err(error) if has_number(&error, NO_SAVEPOINTS) => {
                audit.lose_savepoints();
                if audit.is_intact(connection).await? {
                    return Ok(without_savepoints(connection, monitor));
                }
            }
            Err(error) => return Err(error),
        }
    }
    match audit.fate(connection).await? {
        TransactionFate::Committed(by) => monitor.ended_by(Breach::Ended, Some(by)),
        TransactionFate::RolledBack(by) => monitor.ended_by(Breach::Rollback, Some(by)),
        TransactionFate::Deadlocked => monitor.rolled_back_by_server(),
    }
    Ok(None)
}

/// Whether it says that there is no savepoint of that name.
pub(crate) fn is_missing(error: &sqlx::Error, savepoint: &str) -> bool {
    has_number(error, NO_SUCH_SAVEPOINT) && error.to_string().contains(savepoint)
}
