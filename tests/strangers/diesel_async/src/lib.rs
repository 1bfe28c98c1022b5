//! A shelf of books, kept by diesel-async.

use diesel::prelude::*;
use diesel_async::{
    AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl,
    pooled_connection::{AsyncDieselConnectionManager, deadpool},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

diesel::table! {
    book (id) {
        id -> Int4,
        title -> Text,
    }
}

pub type Pool = deadpool::Pool<AsyncPgConnection>;
pub type Error = Box<dyn std::error::Error + Send + Sync>;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Connects to the database at `url`.
pub fn pool(url: &str) -> Result<Pool, Error> {
    let manager = AsyncDieselConnectionManager::new(url);
    Ok(Pool::builder(manager).max_size(3).build()?)
}

/// Runs the migrations that the program has in it.
pub async fn migrate(url: &str) -> Result<(), Error> {
    use diesel_async::AsyncConnection as _;

    let connection = AsyncPgConnection::establish(url).await?;
    // Diesel's harness blocks, and so needs a thread that may.
    let mut harness = AsyncMigrationHarness::new(connection);
    harness.run_pending_migrations(MIGRATIONS)?;
    Ok(())
}

pub async fn add(pool: &Pool, titles: &[&str]) -> Result<(), Error> {
    let rows: Vec<_> = titles.iter().map(|new| book::title.eq(*new)).collect();
    let mut connection = pool.get().await?;
    diesel::insert_into(book::table)
        .values(rows)
        .execute(&mut connection)
        .await?;
    Ok(())
}

pub async fn titles(pool: &Pool) -> Result<Vec<String>, Error> {
    let mut connection = pool.get().await?;
    let titles = book::table.select(book::title).order(book::id);
    Ok(titles.load(&mut connection).await?)
}
