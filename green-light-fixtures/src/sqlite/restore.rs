//! Puts a SQLite database back as its template made it: only what a test changed, by `DELETE`.
//!
//! Tables are compared row by row with the template's own file, so rows of migrations and seeds are
//! kept or brought back. A table that nobody touched is only read. Triggers and foreign keys are
//! out of force meanwhile: the rows are known to be right.

use std::path::Path;

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor, Row, SqliteConnection,
    sqlite::SqliteConnectOptions,
};

use crate::database::shared_queue::Reset;

/// Compares the database that `options` open with `reference`, and puts back what differs.
pub(crate) async fn reset(
    options: &SqliteConnectOptions,
    reference: &Path,
) -> Result<Reset, sqlx::Error> {
    let mut connection = options.clone().foreign_keys(false).connect().await?;
    sqlx::query("ATTACH ? AS reference")
        .bind(reference.to_string_lossy().into_owned())
        .execute(&mut connection)
        .await?;
    connection.execute("BEGIN IMMEDIATE").await?;
    let done = compare(&mut connection).await;
    let end = if matches!(done, Ok(Reset::Done)) {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    let ended = connection.execute(end).await;
    connection.close().await?;
    ended?;
    done
}

async fn compare(connection: &mut SqliteConnection) -> Result<Reset, sqlx::Error> {
    let changed = "WITH own AS (SELECT type, name, tbl_name, sql FROM main.sqlite_schema), \
         wanted AS (SELECT type, name, tbl_name, sql FROM reference.sqlite_schema) \
         SELECT EXISTS (SELECT * FROM own EXCEPT SELECT * FROM wanted) \
             OR EXISTS (SELECT * FROM wanted EXCEPT SELECT * FROM own)";
    if connection.fetch_one(changed).await?.try_get(0)? {
        return Ok(Reset::Changed);
    }
    // Tables that count ids are written to by every insert, so they come last. A virtual table is
    // what its shadow tables hold.
    let names = "SELECT name FROM pragma_table_list WHERE schema = 'main' \
         AND type IN ('table', 'shadow') AND name <> 'sqlite_schema' \
         ORDER BY name = 'sqlite_sequence', name";
    let tables: Vec<String> = sqlx::query_scalar(names)
        .fetch_all(&mut *connection)
        .await?;
    let mut triggers = None;
    for table in tables {
        let table = Table::read(connection, table).await?;
        if table.is_clean(connection).await? {
            continue;
        }
        if triggers.is_none() {
            triggers = Some(drop_triggers(connection).await?);
        }
        table.put_back(connection).await?;
    }
    for sql in triggers.into_iter().flatten() {
        connection.execute(AssertSqlSafe(sql)).await?;
    }
    Ok(Reset::Done)
}

/// Removes every trigger, and returns the statements that make them.
async fn drop_triggers(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let triggers: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger'")
            .fetch_all(&mut *connection)
            .await?;
    let mut made_by = Vec::new();
    for (name, sql) in triggers {
        let drop = format!("DROP TRIGGER main.{}", quoted(&name));
        connection.execute(AssertSqlSafe(drop)).await?;
        made_by.push(sql);
    }
    Ok(made_by)
}

struct Table {
    name: String,
    /// Those that can be written to, as SQL lists them.
    columns: String,
    /// The same, compared byte by byte.
    exact: String,
}

impl Table {
    async fn read(connection: &mut SqliteConnection, name: String) -> Result<Self, sqlx::Error> {
        let columns: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM pragma_table_xinfo(?, 'main') WHERE hidden = 0 ORDER BY cid",
        )
        .bind(&name)
        .fetch_all(connection)
        .await?;
        let columns: Vec<_> = columns.iter().map(|column| quoted(column)).collect();
        Ok(Self {
            name: quoted(&name),
            columns: columns.join(", "),
            exact: columns
                .iter()
                .map(|column| format!("{column} COLLATE BINARY"))
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// Whether both hold the same rows, each as often.
    async fn is_clean(&self, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let Self { name, exact, .. } = self;
        let same = format!(
            "SELECT (SELECT count(*) FROM main.{name}) = (SELECT count(*) FROM reference.{name}) \
             AND NOT EXISTS (SELECT {exact}, count(*) FROM main.{name} GROUP BY {exact} \
             EXCEPT SELECT {exact}, count(*) FROM reference.{name} GROUP BY {exact})"
        );
        connection.fetch_one(AssertSqlSafe(same)).await?.try_get(0)
    }

    async fn put_back(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let Self { name, columns, .. } = self;
        let delete = format!("DELETE FROM main.{name}");
        connection.execute(AssertSqlSafe(delete)).await?;
        let insert =
            format!("INSERT INTO main.{name} ({columns}) SELECT {columns} FROM reference.{name}");
        connection.execute(AssertSqlSafe(insert)).await.map(drop)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
