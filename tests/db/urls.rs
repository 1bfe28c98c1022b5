//! The URL of a test's database, asked for in every way, and fixtures of users that are named as ours.

use green_light::{
    fixtures::{self, isolation},
    prelude::*,
};
use sea_orm::sqlx::{self, PgPool, SqlitePool};

#[fixture(overrides = fixtures::schema)]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE guest (name VARCHAR(99) NOT NULL UNIQUE)")
}

async fn sign_in(url: &str) -> sqlx::Result<u64> {
    let own = SqlitePool::connect(url).await?;
    let insert = sqlx::query("INSERT INTO guest VALUES ('ann')");
    let done = insert.execute(&own).await?;
    own.close().await;
    Ok(done.rows_affected())
}

#[green_light::test(backends(sqlite))]
async fn a_dynamic_request_for_the_url_gives_a_database_of_its_own(request: &Request) {
    let url = request.get(database_url).await;
    assert_eq!(sign_in(&url).await.unwrap(), 1);
    let isolation = request.get(isolation).await;
    assert_eq!(*isolation, Isolation::Database);
}

#[green_light::test(backends(sqlite))]
async fn it_comes_too_late_once_the_test_has_a_transaction(session: Session, request: &Request) {
    assert_eq!(session.isolation(), Isolation::Transaction);
    let refused = request.try_get(database_url).await.unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("`uses(database_url)`"), "{refused}");
}

#[green_light::test(backends(sqlite), uses(database_url))]
async fn a_dynamic_request_finds_what_the_attribute_asked_for(session: Session, request: &Request) {
    assert_eq!(session.isolation(), Isolation::Database);
    let url = request.get(database_url).await;
    assert_eq!(sign_in(&url).await.unwrap(), 1);
}

/// A fixture of the user that only has the name of ours.
mod of_the_same_name {
    use super::*;

    // Read by the tests of this module alone.
    #[fixture]
    fn database_url() -> &'static str {
        "postgres://localhost/mine"
    }

    #[fixture]
    fn pg_pool() -> Vec<u8> {
        vec![1, 2, 3]
    }

    #[green_light::test(backends(sqlite))]
    fn it_is_the_one_that_is_near(database_url: &str, pg_pool: Vec<u8>, session: Session) {
        assert_eq!(database_url, "postgres://localhost/mine");
        assert_eq!(pg_pool, [1, 2, 3]);
        assert_eq!(session.isolation(), Isolation::Transaction);
    }
}

/// A fixture of the user in place of ours.
mod overridden {
    use super::*;

    #[fixture(overrides = fixtures::database_url)]
    fn database_url(database_url: String) -> String {
        format!("{database_url}?mode=rw")
    }

    #[green_light::test(backends(sqlite))]
    async fn it_is_made_of_ours(database_url: String, session: Session) {
        assert!(database_url.ends_with("?mode=rw"), "{database_url}");
        assert_eq!(session.isolation(), Isolation::Database);
        assert_eq!(sign_in(&database_url).await.unwrap(), 1);
    }

    mod by_another_database {
        use super::*;

        #[fixture(overrides = fixtures::database_url)]
        fn url() -> String {
            "sqlite::memory:".to_owned()
        }

        #[green_light::test(backends(sqlite))]
        async fn a_test_is_given_that_one(database_url: String) {
            assert_eq!(database_url, "sqlite::memory:");
            let refused = sign_in(&database_url).await.unwrap_err().to_string();
            assert!(refused.contains("no such table"), "{refused}");
        }
    }
}

/// A pool with more in it than ours has, as an application prepares its own.
mod a_prepared_pool {
    use super::*;

    #[fixture(overrides = fixtures::pg_pool)]
    async fn pg_pool(pg_pool: PgPool) -> sqlx::Result<PgPool> {
        let insert = sqlx::query("INSERT INTO guest VALUES ('host')");
        insert.execute(&pg_pool).await?;
        Ok(pg_pool)
    }

    #[green_light::test(backends(postgres))]
    async fn the_host_is_there(pg_pool: PgPool) -> sqlx::Result<()> {
        let count = sqlx::query_scalar("SELECT count(*) FROM guest");
        let count: i64 = count.fetch_one(&pg_pool).await?;
        assert_eq!(count, 1);
        Ok(())
    }

    #[green_light::test(backends(postgres))]
    async fn once_in_each_test(pg_pool: &PgPool) -> sqlx::Result<()> {
        let insert = sqlx::query("INSERT INTO guest VALUES ('ann')");
        insert.execute(pg_pool).await.map(drop)
    }
}
