//! PostgreSQL as one of the databases that green-light knows.

use std::time::Duration;

use crate::database_pool::pool_driver;
use crate::error::Error;
use crate::postgres::dialect::PostgresDialect;
use crate::postgres::local_server::SERVER;
use crate::postgres::sandbox::PostgresSandbox;
use crate::postgres::server::PostgresServer;
use crate::server::database_lease::DatabaseLease;
use crate::server::template::ServerTemplate;
use crate::server::test_server::{OnServer, TestServer};
use crate::url::DatabaseUrl;

pub(crate) type PostgresDriver = OnServer<PostgresServer>;

impl TestServer for PostgresServer {
    type Sandbox = PostgresSandbox;

    async fn find() -> Result<(DatabaseUrl, bool), Error> {
        let server = SERVER.obtain().await?;
        Ok((server.url, server.is_ours))
    }

    async fn open_sandbox(
        template: &ServerTemplate<Self>,
        test: &str,
        wait: Duration,
    ) -> Result<(PostgresSandbox, DatabaseLease<Self>), Error> {
        let lease = template.lease_for_slot(test).await?;
        Ok((PostgresSandbox::new(&lease.options(), wait), lease))
    }
}

pool_driver!(
    Postgres,
    PostgresDialect,
    SqlxPostgresConnector::from_sqlx_postgres_pool,
    fn server_end() -> Option<String> {
        SERVER.end_after_lost_connection()
    }
);
