//! Each test finds an empty guest book, on three databases.

use green_light::prelude::*;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sqlx(sqlx::migrate!())
}

mod on_postgres {
    use super::*;
    use sqlx::{Acquire, PgPool, Postgres, Row, pool::PoolConnection, postgres::PgListener};
    use sqlx_only::{connect, guests, pool, sign_in_two};

    #[fixture(overrides = green_light::fixtures::backend)]
    fn backend() -> Backend {
        Backend::Postgres
    }

    #[green_light::test]
    async fn two_sign_in(pg_pool: PgPool) -> sqlx::Result<()> {
        sign_in_two(&pg_pool, "ann", "bob").await?;
        assert_eq!(guests(&pg_pool).await?, 2);
        Ok(())
    }

    #[green_light::test]
    async fn nobody_signs_in_twice(pg_pool: &PgPool) {
        sign_in_two(pg_pool, "ann", "ann").await.unwrap_err();
        assert_eq!(guests(pg_pool).await.unwrap(), 0);
    }

    #[green_light::test]
    async fn by_a_connection(mut pg_connection: PoolConnection<Postgres>) -> sqlx::Result<()> {
        let mut outer = pg_connection.begin().await?;
        let mut inner = outer.begin().await?;
        sqlx::query("INSERT INTO guest VALUES (1, 'ann')")
            .execute(&mut *inner)
            .await?;
        inner.commit().await?;
        let row = sqlx::query("SELECT name FROM guest")
            .fetch_one(&mut *outer)
            .await?;
        assert_eq!(row.get::<String, _>(0), "ann");
        outer.rollback().await
    }

    #[green_light::test]
    async fn a_session_sees_what_the_pool_wrote(pg_pool: PgPool, session: Session) {
        sign_in_two(&pg_pool, "ann", "bob").await.unwrap();
        assert_eq!(guests(session.postgres_pool()).await.unwrap(), 2);
    }

    // `LISTEN` needs real commits and two connections.
    #[green_light::test(isolation = database)]
    async fn listens(pg_pool: PgPool) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(&pg_pool).await?;
        listener.listen("signed_in").await?;
        sqlx::query("NOTIFY signed_in, 'ann'")
            .execute(&pg_pool)
            .await?;
        assert_eq!(listener.recv().await?.payload(), "ann");
        Ok(())
    }

    // An application that connects by itself has a database of its own in each test.
    #[green_light::test]
    async fn connects_by_itself(database_url: String, pg_pool: PgPool) -> sqlx::Result<()> {
        let own = PgPool::connect(&database_url).await?;
        sign_in_two(&own, "ann", "bob").await?;
        assert_eq!(guests(&pg_pool).await?, 2);
        own.close().await;
        Ok(())
    }

    // One whose pool is in a `static` has the same database in all of them, one test after the other.
    mod with_a_static_pool {
        use super::*;

        #[fixture(overrides = green_light::fixtures::isolation)]
        fn isolation() -> Isolation {
            Isolation::Shared
        }

        #[green_light::test]
        async fn two_sign_in(database_url: String) -> sqlx::Result<()> {
            connect(&database_url).await?;
            sign_in_two(pool(), "ann", "bob").await?;
            assert_eq!(guests(pool()).await?, 2);
            Ok(())
        }

        #[green_light::test]
        async fn two_others_sign_in(database_url: String) -> sqlx::Result<()> {
            connect(&database_url).await?;
            assert_eq!(guests(pool()).await?, 0);
            sign_in_two(pool(), "cat", "dan").await
        }
    }
}

mod on_mysql {
    use super::*;
    use sqlx::{Executor, MySql, MySqlPool, pool::PoolConnection};
    use sqlx_only::sign_in_on_mysql;

    #[fixture(overrides = green_light::fixtures::backend)]
    fn backend() -> Backend {
        Backend::MySql
    }

    #[green_light::test]
    async fn one_signs_in(mysql_pool: MySqlPool) -> sqlx::Result<()> {
        assert_eq!(sign_in_on_mysql(&mysql_pool, 1, "ann").await?, 1);
        Ok(())
    }

    #[green_light::test]
    async fn another_one_signs_in(mysql_pool: MySqlPool) -> sqlx::Result<()> {
        assert_eq!(sign_in_on_mysql(&mysql_pool, 1, "bob").await?, 1);
        Ok(())
    }

    #[green_light::test]
    async fn by_a_connection(mut mysql_connection: PoolConnection<MySql>) -> sqlx::Result<()> {
        mysql_connection
            .execute("INSERT INTO guest VALUES (1, 'ann')")
            .await
            .map(drop)
    }

    #[green_light::test]
    async fn connects_by_itself(database_url: String) -> sqlx::Result<()> {
        let own = MySqlPool::connect(&database_url).await?;
        assert_eq!(sign_in_on_mysql(&own, 1, "ann").await?, 1);
        own.close().await;
        Ok(())
    }
}

// SQLite is what there is unless a fixture says otherwise.
mod on_sqlite {
    use super::*;
    use sqlx::{Executor, Sqlite, SqlitePool, pool::PoolConnection};
    use sqlx_only::sign_in_on_sqlite;

    #[green_light::test]
    async fn one_signs_in(sqlite_pool: SqlitePool) -> sqlx::Result<()> {
        assert_eq!(sign_in_on_sqlite(&sqlite_pool, 1, "ann").await?, 1);
        Ok(())
    }

    #[green_light::test]
    async fn another_one_signs_in(sqlite_pool: &SqlitePool) -> sqlx::Result<()> {
        assert_eq!(sign_in_on_sqlite(sqlite_pool, 1, "bob").await?, 1);
        Ok(())
    }

    #[green_light::test]
    async fn by_a_connection(mut sqlite_connection: PoolConnection<Sqlite>) -> sqlx::Result<()> {
        sqlite_connection
            .execute("INSERT INTO guest VALUES (1, 'ann')")
            .await
            .map(drop)
    }

    #[green_light::test]
    async fn connects_by_itself(database_url: String) -> sqlx::Result<()> {
        let own = SqlitePool::connect(&database_url).await?;
        assert_eq!(sign_in_on_sqlite(&own, 1, "ann").await?, 1);
        own.close().await;
        Ok(())
    }
}
