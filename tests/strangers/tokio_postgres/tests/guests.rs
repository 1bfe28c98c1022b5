//! Each test has a database of its own, by its URL.

use std::process::Command;

use deadpool_postgres::Pool;
use green_light::prelude::*;
use tokio_postgres::{Client, Error};
use tokio_postgres_app::{connect, guests, pool, sign_in_two};

#[fixture(overrides = green_light::fixtures::backend)]
fn backend() -> Backend {
    Backend::Postgres
}

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE guest (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
}

#[fixture(fresh)]
async fn client(database_url: &str) -> Result<Client, Error> {
    connect(database_url).await
}

#[fixture]
async fn pool_of_app(database_url: &str, out: Yield<Pool>) {
    let pool = pool(database_url).unwrap();
    out.give(pool.clone()).await;
    pool.close();
}

#[green_light::test]
async fn two_sign_in(mut client: Client) -> Result<(), Error> {
    sign_in_two(&mut client, ["ann", "bob"]).await?;
    assert_eq!(guests(&client).await?, 2);
    Ok(())
}

#[green_light::test]
async fn nobody_signs_in_twice(mut client: Client) -> Result<(), Error> {
    sign_in_two(&mut client, ["ann", "ann"]).await.unwrap_err();
    assert_eq!(guests(&client).await?, 0);
    Ok(())
}

#[green_light::test]
async fn with_a_pool(pool_of_app: &Pool, client: Client) {
    let mut one = pool_of_app.get().await.unwrap();
    let other = pool_of_app.get().await.unwrap();
    sign_in_two(&mut one, ["ann", "bob"]).await.unwrap();
    assert_eq!(guests(&other).await.unwrap(), 2);
    assert_eq!(guests(&client).await.unwrap(), 2);
}

#[green_light::test]
async fn psql_understands_the_url(database_url: String, mut client: Client) -> Result<(), Error> {
    sign_in_two(&mut client, ["ann", "bob"]).await?;
    let asked = Command::new("psql")
        .args(["-qtA", "-c", "SELECT count(*) FROM guest", &database_url])
        .output()
        .expect("psql is installed");
    assert_eq!(
        String::from_utf8_lossy(&asked.stdout).trim(),
        "2",
        "{asked:?}"
    );
    Ok(())
}
