//! `accounts PAYER PAYEE CENTS` moves money in `accounts.db`.

use sqlx::SqlitePool;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [payer, payee, cents] = &arguments[..] else {
        return Err("usage: accounts PAYER PAYEE CENTS".into());
    };
    let db = SqlitePool::connect("sqlite:accounts.db?mode=rwc").await?;
    sqlx::migrate!().run(&db).await?;
    accounts::transfer(&db, payer, payee, cents.parse()?).await?;
    Ok(())
}
