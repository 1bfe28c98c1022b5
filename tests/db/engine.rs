//! One engine for all tests of a module: one template, slots that are used again, no file.

use std::time::{Duration, Instant};

use green_light::{Error, prelude::*};
use sea_orm::{ConnectionTrait, DbErr};

use crate::schema::number;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE u (email TEXT NOT NULL UNIQUE)")
}

/// A user's own engine, with what the built-in one does not set.
#[fixture(overrides = green_light::fixtures::engine)]
async fn engine(schema: &Schema) -> Result<Engine, Error> {
    Engine::builder()
        .schema(schema.clone())
        .connection_timeout(Duration::from_millis(250))
        .build()
        .await
}

macro_rules! many {
    ($($name:ident)*) => {$(
        #[green_light::test]
        async fn $name(engine: &Engine, session: Session) -> Result<(), DbErr> {
            session.execute_unprepared("INSERT INTO u VALUES ('ann')").await?;
            assert_eq!(number(&session, "SELECT count(*) FROM u").await?, 1);
            let stats = engine.stats();
            assert!(stats.templates_built <= 1, "{stats:?}");
            assert_eq!(stats.slots_discarded, 0, "{stats:?}");
            Ok(())
        }
    )*};
}

many!(t00 t01 t02 t03 t04 t05 t06 t07 t08 t09 t10 t11 t12 t13 t14 t15);

#[green_light::test]
async fn a_second_connection_beside_a_transaction_is_refused_in_time(session: Session) {
    let tx = sea_orm::TransactionTrait::begin(&session).await.unwrap();
    let started = Instant::now();
    let error = number(&session, "SELECT 1").await.unwrap_err().to_string();
    assert!(started.elapsed() < Duration::from_secs(4));
    assert!(error.contains("begun at tests/db/engine.rs:"), "{error}");
    tx.commit().await.unwrap();
}

#[green_light::test]
async fn a_second_database_is_a_second_engine(session: Session) -> Result<(), Error> {
    let other = Engine::builder()
        .schema(Schema::sql("CREATE TABLE v (x)"))
        .build()
        .await?;
    let second = other.session(Isolation::Transaction).await?;
    second
        .execute_unprepared("INSERT INTO v VALUES (1)")
        .await
        .unwrap();
    session
        .execute_unprepared("INSERT INTO v VALUES (1)")
        .await
        .unwrap_err();
    second.finish().await
}
