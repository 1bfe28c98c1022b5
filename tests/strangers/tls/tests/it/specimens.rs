//! Tests whose databases do not answer as they want them to; `messages` runs them in processes of their own.

use std::env;

use green_light::prelude::*;

/// The URL that the application is configured with.
#[fixture]
fn url() -> String {
    env::var("SHOP_URL").unwrap()
}

mod postgres {
    use super::*;

    #[fixture(overrides = green_light::fixtures::backend)]
    fn backend() -> Backend {
        Backend::Postgres
    }

    #[green_light::test]
    #[ignore = "run by other tests"]
    async fn by_the_application(url: &str) -> sqlx::Result<()> {
        let version = tls::postgres_tls(url).await?;
        println!("TLS: {version:?}");
        Ok(())
    }

    #[green_light::test]
    #[ignore = "run by other tests"]
    async fn unwrapped_by_the_application(url: &str) {
        tls::postgres_tls(url).await.unwrap();
    }

    #[green_light::test]
    #[ignore = "run by other tests"]
    async fn by_green_light(session: Session) {
        drop(session);
    }
}

mod mysql {
    use super::*;

    #[fixture(overrides = green_light::fixtures::backend)]
    fn backend() -> Backend {
        Backend::MySql
    }

    #[green_light::test]
    #[ignore = "run by other tests"]
    async fn by_the_application(url: &str) -> sqlx::Result<()> {
        let version = tls::mysql_tls(url).await?;
        println!("TLS: {version:?}");
        Ok(())
    }

    #[green_light::test]
    #[ignore = "run by other tests"]
    async fn unwrapped_by_the_application(url: &str) {
        tls::mysql_tls(url).await.unwrap();
    }

    #[green_light::test]
    #[ignore = "run by other tests"]
    async fn by_green_light(session: Session) {
        drop(session);
    }
}
