//! A guest book on MySQL and a diary on SQLite, each by a driver of its own.

use mysql_async::{Conn, Error, Pool, TxOpts, prelude::*};
use rusqlite::Connection;

/// Signs two guests in, or none.
pub async fn sign_in_two(pool: &Pool, names: [&str; 2]) -> Result<(), Error> {
    let mut transaction = pool.start_transaction(TxOpts::default()).await?;
    for name in names {
        let insert = "INSERT INTO guest (name) VALUES (?)";
        transaction.exec_drop(insert, (name,)).await?;
    }
    transaction.commit().await
}

/// The names of all guests.
pub async fn guests(connection: &mut Conn) -> Result<Vec<String>, Error> {
    connection.query("SELECT name FROM guest ORDER BY id").await
}

/// Writes two days, or none.
pub fn write_two(diary: &mut Connection, days: [&str; 2]) -> rusqlite::Result<()> {
    let transaction = diary.transaction()?;
    for day in days {
        transaction.execute("INSERT INTO day (text) VALUES (?1)", [day])?;
    }
    transaction.commit()
}

/// All days.
pub fn days(diary: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut select = diary.prepare("SELECT text FROM day ORDER BY rowid")?;
    let days = select.query_map([], |row| row.get(0))?;
    days.collect()
}
