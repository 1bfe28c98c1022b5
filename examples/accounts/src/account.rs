//! What can be done with an account.

use std::fmt;

use sqlx::SqlitePool;

/// Why money did not move. Nothing has changed then.
#[derive(Debug)]
pub enum Refused {
    /// There is no account of this owner.
    NoAccount(String),
    /// The payer has less.
    TooLittle,
    /// No amount, or a negative one.
    NoAmount,
    Database(sqlx::Error),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAccount(owner) => write!(f, "{owner} has no account"),
            Self::TooLittle => f.write_str("there is too little on the account"),
            Self::NoAmount => f.write_str("the amount is not positive"),
            Self::Database(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refused {}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error() {
            // The one check that money can meet.
            Some(refusal) if refusal.is_check_violation() => Self::TooLittle,
            _ => Self::Database(error),
        }
    }
}

/// Opens an account.
///
/// # Errors
///
/// If the owner has one.
pub async fn open(db: &SqlitePool, owner: &str, cents: i64) -> Result<(), Refused> {
    let insert = "INSERT INTO account (owner, cents) VALUES (?, ?)";
    let insert = sqlx::query(insert).bind(owner).bind(cents);
    insert.execute(db).await?;
    Ok(())
}

/// What `owner` has.
///
/// # Errors
///
/// If there is no such account.
pub async fn balance(db: &SqlitePool, owner: &str) -> Result<i64, Refused> {
    let select = "SELECT cents FROM account WHERE owner = ?";
    let select = sqlx::query_scalar(select).bind(owner);
    let cents = select.fetch_optional(db).await?;
    cents.ok_or_else(|| Refused::NoAccount(owner.to_owned()))
}

/// Moves money, and writes down that it did: both, or neither.
///
/// # Errors
///
/// If an account is missing, or the payer has too little.
pub async fn transfer(
    db: &SqlitePool,
    payer: &str,
    payee: &str,
    cents: i64,
) -> Result<(), Refused> {
    if cents <= 0 {
        return Err(Refused::NoAmount);
    }
    let mut tx = db.begin().await?;
    let mut ids = Vec::new();
    for (owner, change) in [(payer, -cents), (payee, cents)] {
        let update = "UPDATE account SET cents = cents + ? WHERE owner = ? RETURNING id";
        let update = sqlx::query_scalar::<_, i64>(update)
            .bind(change)
            .bind(owner);
        let id = update.fetch_optional(&mut *tx).await?;
        ids.push(id.ok_or_else(|| Refused::NoAccount(owner.to_owned()))?);
    }
    let insert = "INSERT INTO transfer (payer, payee, cents) VALUES (?, ?, ?)";
    let insert = sqlx::query(insert).bind(ids[0]).bind(ids[1]).bind(cents);
    insert.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// How many transfers there were.
///
/// # Errors
///
/// If the database cannot be asked.
pub async fn transfers(db: &SqlitePool) -> sqlx::Result<i64> {
    let count = "SELECT count(*) FROM transfer";
    sqlx::query_scalar(count).fetch_one(db).await
}
