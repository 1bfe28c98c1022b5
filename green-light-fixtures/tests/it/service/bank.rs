//! The service under test: a bank, as one would write it for production.

use futures::TryStreamExt as _;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DatabaseConnection, DatabaseTransaction,
    DbErr, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _, SqlErr,
    TransactionError, TransactionTrait as _, sea_query::Expr,
};

#[expect(
    unreachable_pub,
    reason = "entities are public, as sea-orm-cli writes them"
)]
pub(super) mod account {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "account")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique)]
        pub name: String,
        pub balance: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[expect(
    unreachable_pub,
    reason = "entities are public, as sea-orm-cli writes them"
)]
pub(super) mod entry {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "entry")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub account: i64,
        pub amount: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Why a transfer was not made.
#[derive(Debug)]
pub(super) enum Refused {
    Funds,
    NoSuchAccount,
    Database(DbErr),
}

impl From<DbErr> for Refused {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Refused {}

pub(super) async fn open(
    db: &impl ConnectionTrait,
    name: &str,
    balance: i64,
) -> Result<i64, DbErr> {
    let account = account::ActiveModel {
        name: Set(name.to_owned()),
        balance: Set(balance),
        ..Default::default()
    };
    let inserted = account::Entity::insert(account).exec(db).await?;
    Ok(inserted.last_insert_id)
}

/// Moves money in a transaction: all of it, or nothing.
pub(super) async fn transfer(
    db: &DatabaseConnection,
    from: i64,
    to: i64,
    amount: i64,
) -> Result<(), Refused> {
    transfer_in(db.begin().await?, from, to, amount).await
}

pub(super) async fn transfer_in(
    tx: DatabaseTransaction,
    from: i64,
    to: i64,
    amount: i64,
) -> Result<(), Refused> {
    move_money(&tx, from, to, amount).await?;
    tx.commit().await?;
    Ok(())
}

/// The same by closure.
pub(super) async fn transfer_by_closure(
    db: &DatabaseConnection,
    from: i64,
    to: i64,
    amount: i64,
) -> Result<(), TransactionError<Refused>> {
    db.transaction(|tx| Box::pin(move_money(tx, from, to, amount)))
        .await
}

async fn move_money(
    tx: &DatabaseTransaction,
    from: i64,
    to: i64,
    amount: i64,
) -> Result<(), Refused> {
    let taken = account::Entity::update_many()
        .col_expr(
            account::Column::Balance,
            Expr::col(account::Column::Balance).sub(amount),
        )
        .filter(account::Column::Id.eq(from))
        .filter(account::Column::Balance.gte(amount))
        .exec(tx)
        .await?;
    if taken.rows_affected == 0 {
        return Err(Refused::Funds);
    }
    let given = account::Entity::update_many()
        .col_expr(
            account::Column::Balance,
            Expr::col(account::Column::Balance).add(amount),
        )
        .filter(account::Column::Id.eq(to))
        .exec(tx)
        .await?;
    if given.rows_affected == 0 {
        return Err(Refused::NoSuchAccount);
    }
    book(tx, from, -amount).await?;
    book(tx, to, amount).await?;
    Ok(())
}

pub(super) async fn book(
    db: &impl ConnectionTrait,
    account: i64,
    amount: i64,
) -> Result<(), DbErr> {
    let entry = entry::ActiveModel {
        account: Set(account),
        amount: Set(amount),
        ..Default::default()
    };
    entry::Entity::insert(entry).exec(db).await.map(drop)
}

/// Opens many accounts in one transaction, each in a nested one: who has an account already is
/// left alone, any other error undoes all. Returns how many are new.
pub(super) async fn import(db: &DatabaseConnection, names: &[&str]) -> Result<usize, DbErr> {
    import_in(db.begin().await?, names).await
}

pub(super) async fn import_in(all: DatabaseTransaction, names: &[&str]) -> Result<usize, DbErr> {
    let mut new = 0;
    for name in names {
        let one = all.begin().await?;
        match open(&one, name, 0).await {
            Ok(_) => {
                one.commit().await?;
                new += 1;
            }
            Err(error) if is_unique(&error) => one.rollback().await?,
            Err(error) => return Err(error),
        }
    }
    all.commit().await?;
    Ok(new)
}

pub(super) fn is_unique(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// What all entries of an account come to, read one by one.
pub(super) async fn audit(db: &DatabaseConnection, account: i64) -> Result<i64, DbErr> {
    let mut entries = entry::Entity::find()
        .filter(entry::Column::Account.eq(account))
        .stream(db)
        .await?;
    let mut sum = 0;
    while let Some(entry) = entries.try_next().await? {
        sum += entry.amount;
    }
    Ok(sum)
}

/// The accounts by name, with their balances.
pub(super) async fn accounts(db: &impl ConnectionTrait) -> Result<Vec<(String, i64)>, DbErr> {
    let all = account::Entity::find()
        .order_by_asc(account::Column::Name)
        .all(db)
        .await?;
    Ok(all.into_iter().map(|one| (one.name, one.balance)).collect())
}

pub(super) async fn entries(db: &impl ConnectionTrait) -> Result<usize, DbErr> {
    Ok(entry::Entity::find().all(db).await?.len())
}
