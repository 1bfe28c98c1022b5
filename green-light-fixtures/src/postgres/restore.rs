//! Puts a PostgreSQL database back as its template made it: only what a test changed, by `DELETE`.
//!
//! What the template made is remembered when the database is new: a copy of the rows of tables that
//! have some, in a schema of ours, and a fingerprint of every table, of the sequences and of the
//! catalog. A changed catalog cannot be put back by deleting rows, so the database is not used again;
//! neither is one whose rows cannot be put back, such as those that a trigger guards.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection, Row as _, postgres::PgConnectOptions};

use crate::database::shared_queue::{Moment, Reset};
use crate::error::{Error, Kind};
use crate::postgres::admin::AdminConnection;
use crate::server::query_ext::QueryExt as _;
use crate::server::reset_connection::Between;

/// Tables, and what their rows are told apart by.
const TABLES: &str = "
SELECT format('%I.%I', n.nspname, c.relname),
  coalesce((SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_%'
  AND n.nspname NOT IN ('information_schema', 'green_light_shared')
ORDER BY c.oid";

const SEQUENCES: &str = "
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY c.oid";

/// A row of a catalog is another one, by its transaction, once a statement has changed it.
const CATALOG: &str = "
WITH own AS (SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'
  AND nspname NOT IN ('information_schema', 'green_light_shared')),
relations AS (SELECT oid, xmin FROM pg_class
  WHERE relnamespace IN (SELECT oid FROM own) AND relpersistence <> 't'),
parts AS (
  SELECT 'n' || oid || ' ' || xmin AS part FROM pg_namespace WHERE oid IN (SELECT oid FROM own)
  UNION ALL SELECT 'c' || oid || ' ' || xmin FROM relations
  UNION ALL SELECT 'a' || attrelid || ' ' || attnum || ' ' || xmin FROM pg_attribute
    WHERE attrelid IN (SELECT oid FROM relations)
  UNION ALL SELECT 'd' || oid || ' ' || xmin FROM pg_attrdef WHERE adrelid IN (SELECT oid FROM relations)
  UNION ALL SELECT 'k' || oid || ' ' || xmin FROM pg_constraint
    WHERE connamespace IN (SELECT oid FROM own)
  UNION ALL SELECT 't' || oid || ' ' || xmin FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM relations)
  UNION ALL SELECT 'r' || oid || ' ' || xmin FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM relations)
  UNION ALL SELECT 'o' || oid || ' ' || xmin FROM pg_policy WHERE polrelid IN (SELECT oid FROM relations)
  UNION ALL SELECT 'p' || oid || ' ' || xmin FROM pg_proc WHERE pronamespace IN (SELECT oid FROM own)
  UNION ALL SELECT 'y' || t.oid || ' ' || t.xmin FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE typnamespace IN (SELECT oid FROM own) AND c.relpersistence IS DISTINCT FROM 't'
  UNION ALL SELECT 'e' || oid || ' ' || xmin FROM pg_extension)
SELECT md5(coalesce(string_agg(part, ',' ORDER BY part COLLATE \"C\"), '')) FROM parts";

/// What a test has left for somebody else to commit, with its locks: it would come back at any time.
const PREPARED: &str = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() \
                        ORDER BY prepared LIMIT 1";

/// What a database looks like when no test has used it.
#[derive(Debug)]
pub(crate) struct Reference {
    catalog: String,
    tables: Vec<Table>,
    sequences: Vec<String>,
    between: Between<PgConnection>,
}

#[derive(Debug)]
struct Table {
    name: String,
    /// Those that can be written to, as SQL lists them.
    columns: String,
    fingerprint: String,
    /// Where its rows are kept, if it has some.
    copy: Option<String>,
}

impl Reference {
    /// Looks at a new database.
    pub(crate) async fn take(options: &PgConnectOptions) -> Result<Self, sqlx::Error> {
        let mut taking = AdminConnection::connect(options).await?.with_long_timeout();
        taking.execute("BEGIN").await?;
        taking.execute("CREATE SCHEMA green_light_shared").await?;
        let mut tables = Vec::new();
        for row in taking.fetch_all(TABLES).await? {
            tables.push(Table {
                name: row.try_get(0)?,
                columns: row.try_get(1)?,
                fingerprint: String::new(),
                copy: None,
            });
        }
        let prints = fingerprints(&mut taking, &tables).await?;
        for (number, (table, (rows, print))) in tables.iter_mut().zip(prints).enumerate() {
            table.fingerprint = print;
            if rows > 0 {
                let copy = format!("green_light_shared.rows_{number}");
                let keep = format!("CREATE TABLE {copy} AS SELECT * FROM ONLY {}", table.name);
                taking.execute(AssertSqlSafe(keep)).await?;
                table.copy = Some(copy);
            }
        }
        let mut sequences = Vec::new();
        for row in taking.fetch_all(SEQUENCES).await? {
            let name: String = row.try_get(0)?;
            let state = format!("SELECT last_value, is_called FROM {name}");
            let state = taking.fetch_one(AssertSqlSafe(state)).await?;
            let (last, called): (i64, bool) = (state.try_get(0)?, state.try_get(1)?);
            let name = name.replace('\'', "''");
            sequences.push(format!("SELECT setval('{name}', {last}, {called})"));
        }
        let catalog = taking.fetch_one(CATALOG).await?.try_get(0)?;
        taking.execute("COMMIT").await?;
        taking.close().await;
        Ok(Self {
            catalog,
            tables,
            sequences,
            between: Between::new(),
        })
    }

    /// Puts back what differs.
    pub(crate) async fn restore(
        &self,
        moment: Moment,
        options: &PgConnectOptions,
        wait: Duration,
    ) -> Result<Reset, Error> {
        let failed =
            |error| crate::postgres::errors::failed("the shared database cannot be reached", error);
        let lock_timeout = format!("{}ms", wait.as_millis());
        let options = options.clone().options([("lock_timeout", lock_timeout)]);
        let answered = self.between.answering(moment, &options, PREPARED).await;
        let (mut connection, prepared) = answered.map_err(failed)?;
        if let Some(prepared) = prepared.first() {
            let gid: String = prepared.try_get(0).map_err(failed)?;
            connection.close().await;
            return Err(is_prepared(&gid));
        }
        let restored = match self.compare(&mut connection).await {
            Ok(Reset::Done) => {
                self.between.keep(moment, connection).await;
                return Ok(Reset::Done);
            }
            Err(error) if is_locked(&error) => Err(locked(&mut connection, error).await),
            // A row that cannot be put back, whatever the reason, costs the database.
            Err(sqlx::Error::Database(_)) => Ok(Reset::Changed),
            other => other.map_err(failed),
        };
        connection.close().await;
        restored
    }

    /// In a transaction, which is not ended if something is wrong.
    async fn compare(&self, restoring: &mut AdminConnection) -> Result<Reset, sqlx::Error> {
        restoring.execute("BEGIN").await?;
        let catalog: String = restoring.fetch_one(CATALOG).await?.try_get(0)?;
        if catalog != self.catalog {
            return Ok(Reset::Changed);
        }
        let mut dirty = self.dirty(restoring).await?;
        if !dirty.is_empty() {
            let may: bool = restoring
                .fetch_one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
                .await?
                .try_get(0)?;
            if may {
                // Neither triggers nor foreign keys: the rows are known to be right.
                restoring
                    .execute("SET LOCAL session_replication_role = replica")
                    .await?;
            }
            put_back(restoring, &dirty).await?;
            dirty = self.dirty(restoring).await?;
        }
        if !dirty.is_empty() {
            // A trigger has written what the test had not.
            return Ok(Reset::Changed);
        }
        if !self.sequences.is_empty() {
            let all = self.sequences.join(";");
            restoring.execute(AssertSqlSafe(all)).await?;
        }
        restoring.execute("COMMIT").await?;
        Ok(Reset::Done)
    }

    async fn dirty(&self, connection: &mut AdminConnection) -> Result<Vec<&Table>, sqlx::Error> {
        let prints = fingerprints(connection, &self.tables).await?;
        let pairs = self.tables.iter().zip(prints);
        Ok(pairs
            .filter(|(table, (_, print))| table.fingerprint != *print)
            .map(|(table, _)| table)
            .collect())
    }
}

/// The number of rows of each table, and a text that differs if any row does.
async fn fingerprints(
    connection: &mut AdminConnection,
    tables: &[Table],
) -> Result<Vec<(i64, String)>, sqlx::Error> {
    let mut prints = Vec::new();
    // A statement may not be of any length.
    for tables in tables.chunks(200) {
        let each: Vec<_> = tables
            .iter()
            .map(|table| {
                format!(
                    "(SELECT count(*), count(*) || ' ' || \
                     coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM ONLY {} t)",
                    table.name
                )
            })
            .collect();
        let query = each.join(" UNION ALL ");
        let query = format!("SELECT * FROM ({query}) AS prints (rows, print)");
        for row in connection.fetch_all(AssertSqlSafe(query)).await? {
            prints.push((row.try_get(0)?, row.try_get(1)?));
        }
    }
    Ok(prints)
}

/// Deletes and inserts in one statement each, at whose end foreign keys are looked at.
async fn put_back(connection: &mut AdminConnection, dirty: &[&Table]) -> Result<(), sqlx::Error> {
    let deletes = dirty
        .iter()
        .map(|table| format!("DELETE FROM ONLY {}", table.name));
    let inserts = dirty.iter().filter_map(|table| {
        let copy = table.copy.as_ref()?;
        let Table { name, columns, .. } = table;
        Some(format!(
            "INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {copy}"
        ))
    });
    for statements in [deletes.collect::<Vec<_>>(), inserts.collect()] {
        if statements.is_empty() {
            continue;
        }
        let parts: Vec<_> = statements
            .iter()
            .enumerate()
            .map(|(number, statement)| format!("s{number} AS ({statement})"))
            .collect();
        let sql = format!("WITH {} SELECT 1", parts.join(", "));
        connection.execute(AssertSqlSafe(sql)).await?;
    }
    Ok(())
}

fn is_locked(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|code| code == "55P03")
}

fn is_prepared(gid: &str) -> Error {
    let text = format!(
        "the shared database cannot be put back, because the transaction `{gid}` is prepared and not ended"
    );
    let help = "send `COMMIT PREPARED` or `ROLLBACK PREPARED` with its name before the test ends";
    Error::new(Kind::Held, text).help(help)
}

/// Says who has rows or tables locked.
async fn locked(connection: &mut AdminConnection, error: sqlx::Error) -> Error {
    // Nothing can be asked in a transaction that has failed.
    let _ = connection.execute("ROLLBACK").await;
    let holders: Vec<(String, String)> = sqlx::query_as(
        "SELECT coalesce(nullif(application_name, ''), 'a connection'), left(query, 100) \
         FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
           AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 3",
    )
    .fetch_all_with(connection)
    .await
    .unwrap_or_default();
    let mut text =
        "the shared database cannot be put back, because something has locked it".to_owned();
    for (who, query) in holders {
        text.push_str(&format!(
            "\n  `{who}` has a transaction open; its last statement: `{query}`"
        ));
    }
    Error::new(Kind::Held, text)
        .help("end transactions on connections that were opened from `session.url()`")
        .because(error)
}
