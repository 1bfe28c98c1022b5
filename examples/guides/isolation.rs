//! One body in each isolation.

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};

async fn write(session: &Session) -> Result<(), DbErr> {
    let transaction = session.begin().await?;
    transaction
        .execute_unprepared("INSERT INTO guest (name) VALUES ('ann')")
        .await?;
    transaction.commit().await
}

mod by_default {
    use super::*;

    #[green_light::test]
    async fn a_guest_comes(session: Session) -> Result<(), DbErr> {
        write(&session).await
    }

    #[green_light::test]
    async fn and_comes_again(session: Session) -> Result<(), DbErr> {
        write(&session).await
    }
}

mod for_one_test {
    use super::*;

    #[green_light::test(isolation = database)]
    async fn the_table_grows(session: Session) -> Result<(), DbErr> {
        session
            .execute_unprepared("ALTER TABLE guest ADD COLUMN town TEXT")
            .await?;
        write(&session).await
    }
}

mod for_a_module {
    use super::*;

    #[fixture(overrides = green_light::fixtures::isolation)]
    fn isolation() -> Isolation {
        Isolation::Database
    }

    #[green_light::test]
    async fn two_transactions_at_once(session: Session) -> Result<(), DbErr> {
        let reader = session.begin().await?;
        let writer = session.begin().await?;
        reader.rollback().await?;
        writer.commit().await
    }
}

mod savepoints {
    use super::*;

    #[green_light::test]
    async fn back_to_where_it_was(
        session: Session,
        transaction: &Transaction,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let before = transaction.savepoint().await?;
        write(&session).await?;
        before.rollback().await?;
        write(&session).await?;
        Ok(())
    }
}
