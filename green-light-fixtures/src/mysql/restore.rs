//! Gives the shared MySQL database the contents of its template again, under the same name.
//!
//! MySQL cannot rename a database, and to drop one and make one takes milliseconds for each table. So if all
//! definitions, options, privileges and statistics are as they were, all rows are made again, whether they have changed
//! or not. Otherwise the database is dropped and created.

use std::{sync::Arc, time::Duration};

use sqlx::Row as _;

use crate::error::{Error, Kind};
use crate::mysql::admin::{AdminConnection, LONG, end_connections, lock, quoted};
use crate::mysql::dump::DatabaseDump;
use crate::mysql::errors::failed;
use crate::mysql::grants;
use crate::mysql::server::MySqlServer;
use crate::server::client::ServerClient;
use crate::server::driver::{ServerAccess as _, TemplateInfo};
use crate::server::test_database::{Before, Restoring};
use crate::sql::shorten::shorten;

type Template = TemplateInfo<MySqlServer>;

impl Restoring for MySqlServer {
    /// How the server describes it: MySQL does not describe a table in the words by which it was made.
    type Pristine = DatabaseDump;

    async fn check_unlocked(
        client: &ServerClient<Self>,
        template: &Template,
        name: &str,
        patience: Duration,
    ) -> Result<Option<AdminConnection>, Error> {
        let cannot = |error| failed("it is not known who uses the shared database", error);
        let mut connection = client.driver.connect().await.map_err(cannot)?;
        let dump = template.dump(&mut connection).await.map_err(cannot)?;
        let checked = match try_lock(&mut connection, dump, name, patience).await {
            Err(error) if is_lock_timeout(&error) => {
                Err(still_used(&mut connection, name).await.because(error))
            }
            // A table that the test has dropped cannot be locked.
            Ok(()) | Err(sqlx::Error::Database(_)) => Ok(()),
            Err(error) => Err(cannot(error)),
        };
        let cannot = |error| failed("prepared transactions of the test cannot be ended", error);
        let ended = client.end_prepared(name).await.map_err(cannot);
        match checked.and(ended) {
            Ok(()) => Ok(Some(connection)),
            Err(error) => {
                connection.close().await;
                Err(error)
            }
        }
    }

    async fn restore(
        client: &Arc<ServerClient<Self>>,
        template: &Arc<Template>,
        name: &str,
        before: Before<Self>,
        is_held: bool,
        _patience: Duration,
    ) -> Result<Option<DatabaseDump>, Error> {
        let restored = restore(client, template, name, before, is_held).await;
        let restored = restored.map(Some);
        restored.map_err(|error| failed("the shared database cannot be restored", error))
    }
}

async fn try_lock(
    connection: &mut AdminConnection,
    dump: &DatabaseDump,
    name: &str,
    patience: Duration,
) -> Result<(), sqlx::Error> {
    let tables: Vec<_> = dump
        .tables
        .iter()
        .map(|(table, _)| format!("{}.{} WRITE", quoted(name), quoted(table)))
        .collect();
    if tables.is_empty() {
        return Ok(());
    }
    let lock = format!(
        "SET SESSION lock_wait_timeout = {}; LOCK TABLES {}; UNLOCK TABLES; {LONG}",
        patience.as_secs().max(1),
        tables.join(", ")
    );
    connection.run_slow(lock).await
}

fn is_lock_timeout(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.message().starts_with("Lock wait timeout"))
}

/// Lists who is connected: MySQL does not say who has the lock.
async fn still_used(connection: &mut AdminConnection, name: &str) -> Error {
    let query = sqlx::query(
        "SELECT id, coalesce(info, 'nothing') FROM information_schema.processlist \
         WHERE db = ? AND id <> connection_id() LIMIT 3",
    );
    let found = connection.fetch_all(query.bind(name)).await;
    let mut text = "a transaction that has used one of its tables is still open".to_owned();
    for row in found.unwrap_or_default() {
        let id = row.try_get_unchecked::<i64, _>(0).unwrap_or_default();
        let info: String = row.try_get_unchecked(1).unwrap_or_default();
        text.push_str(&format!(
            "\n  connection {id} is open; it runs `{}`",
            shorten(&info)
        ));
    }
    Error::new(Kind::Held, text)
}

/// Restores the database `name`. What is left of the test before is its description after it was made, if there is one.
///
/// Returns that description.
async fn restore(
    client: &ServerClient<MySqlServer>,
    template: &Template,
    name: &str,
    before: Before<MySqlServer>,
    is_held: bool,
) -> Result<DatabaseDump, sqlx::Error> {
    let Before {
        pristine,
        mut connection,
    } = before;
    if let Some(kept) = &mut connection
        && !kept.replies().await
    {
        connection = None;
    }
    let mut connection = match connection {
        Some(kept) => kept,
        None => client.driver.connect().await?,
    };
    if is_held {
        end_connections(&mut connection, name).await?;
        client.end_prepared(name).await?;
    }
    if let Some(pristine) = pristine {
        match refill(&mut connection, template, name, &pristine).await {
            Ok(true) => {
                connection.close().await;
                return Ok(pristine);
            }
            // What is in the way of the rows goes with the database.
            Ok(false) | Err(sqlx::Error::Database(_)) => {}
            Err(error) => return Err(error),
        }
        connection.close().await;
        connection = client.driver.connect().await?;
    }
    recreate(&mut connection, template, name).await?;
    let pristine = DatabaseDump::schema_only(&mut connection, name).await?;
    connection.close().await;
    Ok(pristine)
}

/// Makes all rows again. `false` if they are not all that has changed.
async fn refill(
    connection: &mut AdminConnection,
    template: &Template,
    name: &str,
    pristine: &DatabaseDump,
) -> Result<bool, sqlx::Error> {
    let dump = template.dump(connection).await?.clone();
    if !dump.can_be_refilled() {
        return Ok(false);
    }
    let found = pristine.read_again(connection, name).await?;
    let Some(counters) = pristine.moved_counters(&found) else {
        return Ok(false);
    };
    let refilled = dump.refill(connection, name, &template.name, &counters);
    refilled.await.map(|()| true)
}

async fn recreate(
    connection: &mut AdminConnection,
    template: &Template,
    name: &str,
) -> Result<(), sqlx::Error> {
    // The server may go on with this when the process is gone; until it is done, no reaper drops the database.
    lock(connection, name).await?;
    end_connections(connection, name).await?;
    let dump = template.dump(connection).await?.clone();
    grants::take_back(connection, name).await?;
    let drop = format!("DROP DATABASE IF EXISTS {}", quoted(name));
    connection.run(drop).await?;
    dump.create(connection, name, &template.name).await
}
