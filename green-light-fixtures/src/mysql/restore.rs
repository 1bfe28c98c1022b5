//! Puts a MySQL database back as its template made it: only the tables that differ, by `DELETE`.
//!
//! The template is on the same server, so rows are compared and copied there. A database whose tables,
//! views or programs have changed is not used again, nor is one whose rows a trigger guards.

use std::{sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, MySqlConnection, Row as _, mysql::MySqlConnectOptions};

use crate::database::shared_queue::{Moment, Reset};
use crate::error::{Error, Kind};
use crate::mysql::admin::AdminConnection;
use crate::mysql::copy::{Script, quoted};
use crate::server::reset_connection::Between;

/// How often a trigger may write what was just put back.
const ROUNDS: usize = 3;
/// How many tables are looked at by one statement.
const CHUNK: usize = 50;

/// What a shared database is to look like.
#[derive(Debug)]
pub(crate) struct Original {
    template: String,
    script: Arc<Script>,
    /// How the database described itself when it was new. MySQL does not describe a table in the words by
    /// which it was made, so that may be other words than those of the template.
    outline: Script,
    between: Between<MySqlConnection>,
}

impl Original {
    /// Looks at the new database `name`.
    pub(crate) async fn take(
        template: String,
        script: Arc<Script>,
        options: &MySqlConnectOptions,
        name: &str,
    ) -> Result<Self, sqlx::Error> {
        let mut taking = AdminConnection::connect(options).await?.with_long_timeout();
        let outline = Script::outline(&mut taking, name).await?;
        taking.close().await;
        Ok(Self {
            template,
            script,
            outline,
            between: Between::new(),
        })
    }

    /// Puts back what differs in the database `name`.
    pub(crate) async fn restore(
        &self,
        moment: Moment,
        options: &MySqlConnectOptions,
        name: &str,
        wait: Duration,
    ) -> Result<Reset, Error> {
        let failed =
            |error| crate::mysql::errors::failed("the shared database cannot be reached", error);
        let seconds = wait.as_secs().max(1);
        let settings = format!(
            "SET SESSION lock_wait_timeout = {seconds}, SESSION innodb_lock_wait_timeout = {seconds}, \
             foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"
        );
        let answered = self.between.answering(moment, options, &settings).await;
        let (mut connection, _) = answered.map_err(failed)?;
        let restored = match self.compare(&mut connection, name).await {
            Ok(Reset::Done) => {
                self.between.keep(moment, connection).await;
                return Ok(Reset::Done);
            }
            Err(error) if is_locked(&error) => Err(locked(&mut connection, name, error).await),
            // Whatever the reason, it costs the database.
            Err(sqlx::Error::Database(_)) => Ok(Reset::Changed),
            other => other.map_err(failed),
        };
        connection.close().await;
        restored
    }

    async fn compare(
        &self,
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<Reset, sqlx::Error> {
        if Script::outline(connection, name).await? != self.outline {
            return Ok(Reset::Changed);
        }
        for _ in 0..ROUNDS {
            let dirty = self.dirty(connection, name).await?;
            if dirty.is_empty() {
                return Ok(Reset::Done);
            }
            for table in dirty {
                self.script
                    .put_back(connection, table, name, &self.template)
                    .await?;
            }
        }
        Ok(Reset::Changed)
    }

    /// The tables whose rows are not those of the template.
    async fn dirty(
        &self,
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<Vec<usize>, sqlx::Error> {
        let (own, template) = (quoted(name), quoted(&self.template));
        let mut dirty = Vec::new();
        // A statement may not be of any length.
        for (chunk, tables) in self.script.tables.chunks(CHUNK).enumerate() {
            let pairs = tables.iter().map(|(table, _)| {
                let table = quoted(table);
                format!("{own}.{table}, {template}.{table}")
            });
            let sums = format!("CHECKSUM TABLE {}", pairs.collect::<Vec<_>>().join(", "));
            let sums = connection.fetch_all(AssertSqlSafe(sums)).await?;
            let sums: Result<Vec<Option<i64>>, _> =
                sums.iter().map(|row| row.try_get_unchecked(1)).collect();
            for (number, pair) in sums?.chunks(2).enumerate() {
                if !matches!(pair, [Some(a), Some(b)] if a == b) {
                    dirty.push(chunk * CHUNK + number);
                }
            }
        }
        Ok(dirty)
    }
}

/// A lock was not given in time: of a row, or of a table's definition.
fn is_locked(error: &sqlx::Error) -> bool {
    let error = error.as_database_error();
    error.is_some_and(|error| error.message().starts_with("Lock wait timeout"))
}

/// Says who is connected.
async fn locked(connection: &mut AdminConnection, name: &str, error: sqlx::Error) -> Error {
    let query = sqlx::query(
        "SELECT id, coalesce(info, 'nothing') FROM information_schema.processlist \
         WHERE db = ? AND id <> connection_id() LIMIT 3",
    );
    let found = connection.fetch_all(query.bind(name)).await;
    let mut text =
        "the shared database cannot be put back, because something has locked it".to_owned();
    for row in found.unwrap_or_default() {
        let id = row.try_get_unchecked::<i64, _>(0).unwrap_or_default();
        let info: String = row.try_get_unchecked(1).unwrap_or_default();
        text.push_str(&format!(
            "\n  connection {id} is open; it runs `{}`",
            crate::sql::shorten::shorten(&info)
        ));
    }
    Error::new(Kind::Held, text)
        .help("end transactions on connections that were opened from `session.url()`")
        .because(error)
}
