//! Several databases in one test, on different backends, whichever way tests are kept apart.

use green_light::{Error, fixture, fixtures::isolation, prelude::*};
use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};

use crate::schema::number;

const TABLE: &str = "CREATE TABLE guest (name VARCHAR(99) NOT NULL UNIQUE)";

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql(TABLE)
}

macro_rules! second_database {
    ($engine:ident, $session:ident, $backend:ident) => {
        #[fixture(scope = "process")]
        async fn $engine() -> Result<Engine, Error> {
            Engine::builder()
                .backend(Backend::$backend)
                .schema(Schema::sql(TABLE))
                .build()
                .await
        }

        #[fixture]
        async fn $session(
            $engine: &Engine,
            isolation: &Isolation,
            out: Yield<Session>,
        ) -> Result<(), Error> {
            let session = $engine.session(*isolation).await?;
            out.give(session.clone()).await;
            session.finish().await
        }
    };
}

second_database!(sqlite_engine, on_sqlite, Sqlite);
second_database!(postgres_engine, on_postgres, Postgres);
second_database!(mysql_engine, on_mysql, MySql);

async fn guests(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    number(db, "SELECT count(*) FROM guest").await
}

/// Writes to each in turn, with a transaction open in all, and sees in each what was written there.
async fn write_to_all(databases: [&Session; 4]) -> Result<(), DbErr> {
    let mut open = Vec::new();
    for (written, database) in databases.iter().enumerate() {
        assert_eq!(guests(*database).await?, 0, "database {written}");
        let transaction = database.begin().await?;
        transaction
            .execute_unprepared("INSERT INTO guest VALUES ('ann')")
            .await?;
        open.push(transaction);
    }
    for (number, transaction) in open.into_iter().enumerate() {
        match number % 2 {
            0 => transaction.commit().await?,
            _ => transaction.rollback().await?,
        }
    }
    for (number, database) in databases.iter().enumerate() {
        let expected = if number % 2 == 0 { 1 } else { 0 };
        assert_eq!(guests(*database).await?, expected, "database {number}");
    }
    Ok(())
}

macro_rules! kept_apart {
    ($($isolation:ident, $first:ident, $again:ident;)*) => {$(
        #[green_light::test(isolation = $isolation, backends(sqlite, postgres, mysql))]
        async fn $first(
            session: &Session,
            on_sqlite: &Session,
            on_postgres: &Session,
            on_mysql: &Session,
        ) -> Result<(), DbErr> {
            assert_eq!(session.isolation().name(), stringify!($isolation));
            assert_eq!(on_mysql.isolation(), session.isolation());
            write_to_all([session, on_sqlite, on_postgres, on_mysql]).await
        }

        #[green_light::test(isolation = $isolation, backends(sqlite, postgres, mysql))]
        async fn $again(
            session: &Session,
            on_sqlite: &Session,
            on_postgres: &Session,
            on_mysql: &Session,
        ) -> Result<(), DbErr> {
            write_to_all([on_mysql, on_postgres, on_sqlite, session]).await
        }
    )*};
}

kept_apart! {
    transaction, transactions_on_several_backends, and_again_in_transactions;
    database, databases_on_several_backends, and_again_in_databases;
    shared, shared_databases_on_several_backends, and_again_in_shared_databases;
}
