//! Pools of sqlx, URLs, and databases without tables.

use std::time::Duration;

use green_light::prelude::*;
use sea_orm::sqlx::{self, SqlitePool};
use sea_orm::{ConnectionTrait, DbErr};

mod green {
    use super::*;
    use sea_orm::sqlx::Connection as _;

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        Schema::sql("CREATE TABLE guest (name TEXT)")
    }

    async fn connects(session: &Session) -> sqlx::Result<()> {
        let own = SqlitePool::connect(&session.url().to_string()).await?;
        own.acquire().await?.ping().await?;
        own.close().await;
        Ok(())
    }

    #[green_light::test]
    async fn a_connects_by_itself(session: Session) -> sqlx::Result<()> {
        connects(&session).await
    }

    #[green_light::test]
    async fn b_connects_by_itself(session: Session) -> sqlx::Result<()> {
        connects(&session).await
    }

    #[green_light::test]
    async fn c_connects_by_itself_too(session: Session) -> sqlx::Result<()> {
        connects(&session).await
    }

    #[green_light::test(isolation = database)]
    async fn d_may_do_so(session: Session) -> sqlx::Result<()> {
        connects(&session).await
    }

    #[green_light::test]
    async fn e_does_not_do_so(session: Session, sqlite_pool: SqlitePool) -> sqlx::Result<()> {
        assert_eq!(session.backend(), Backend::Sqlite);
        sqlite_pool.acquire().await?.ping().await
    }
}

#[green_light::test(isolation = transaction)]
async fn a_url_in_a_transaction(database_url: String) {
    assert!(!database_url.is_empty());
}

#[green_light::test(uses(sqlite_pool), backends(postgres))]
async fn b_a_pool_of_another_backend() {}

mod impatient {
    use super::*;

    #[fixture(overrides = green_light::fixtures::engine)]
    async fn engine() -> Result<Engine, green_light::Error> {
        let wait = Duration::from_millis(100);
        Engine::builder().connection_timeout(wait).build().await
    }

    #[green_light::test]
    async fn c_two_connections_at_once(sqlite_pool: SqlitePool) -> sqlx::Result<()> {
        let _first = sqlite_pool.acquire().await?;
        sqlite_pool.acquire().await.map(drop)
    }
}

#[green_light::test]
async fn d_no_schema(session: Session) -> Result<(), DbErr> {
    session
        .execute_unprepared("DELETE FROM guest")
        .await
        .map(drop)
}

mod with_tables {
    use super::*;

    #[fixture(overrides = green_light::fixtures::schema)]
    fn schema() -> Schema {
        Schema::sql("CREATE TABLE guest (name TEXT)")
    }

    #[green_light::test]
    async fn e_another_table(session: Session) -> Result<(), DbErr> {
        session
            .execute_unprepared("DELETE FROM gest")
            .await
            .map(drop)
    }

    #[green_light::test]
    async fn f_a_pool_of_its_own(session: Session) -> sqlx::Result<()> {
        let own = SqlitePool::connect(session.url()).await?;
        sqlx::query("DELETE FROM guest")
            .execute(&own)
            .await
            .map(drop)
    }
}
