//! PostgreSQL as one of the databases that green-light knows.

use std::time::Duration;

use crate::database_pool::pool_driver;
use crate::driver::listed_database::Shell;
use crate::driver::local_server_state::LocalServerState;
use crate::driver::server_facts::{ServerFacts, ServerState};
use crate::error::Error;
use crate::local_server::variables;
use crate::postgres::dialect::PostgresDialect;
use crate::postgres::local_server::SERVER;
use crate::postgres::sandbox::PostgresSandbox;
use crate::postgres::server::PostgresServer;
use crate::postgres::upkeep;
use crate::server::database_lease::DatabaseLease;
use crate::server::shortage::refusal;
use crate::server::template::{Edition, ServerTemplate};
use crate::server::test_server::{OnServer, TestServer};
use crate::url::DatabaseUrl;

pub(crate) static DRIVER: OnServer<PostgresServer> = OnServer::NEW;

impl TestServer for PostgresServer {
    type Sandbox = PostgresSandbox;

    fn check_variables() -> Result<(), Error> {
        variables::check()
    }

    fn facts() -> ServerFacts {
        SERVER.facts()
    }

    async fn state() -> Result<ServerState, Error> {
        SERVER.state().await
    }

    async fn find() -> Result<(DatabaseUrl, bool), Error> {
        let server = SERVER.obtain().await?;
        Ok((server.url, server.is_ours))
    }

    fn local_server() -> Result<Option<LocalServerState>, Error> {
        SERVER.local_state()
    }

    async fn start_local_server(time: Duration) -> Result<(), Error> {
        SERVER.hold(time).await
    }

    async fn stop_local_server() -> Result<bool, Error> {
        SERVER.stop().await
    }

    fn shell(url: &DatabaseUrl) -> Shell {
        upkeep::shell(url)
    }

    async fn open_sandbox(
        template: &ServerTemplate<Self>,
        edition: &Edition<Self>,
        test: &str,
        wait: Duration,
    ) -> Result<(PostgresSandbox, DatabaseLease<Self>), Error> {
        let lease = template.lease_for_slot(edition, test).await?;
        Ok((PostgresSandbox::new(&lease.options(), wait), lease))
    }
}

pool_driver! {
    Postgres,
    PostgresDialect,
    fn server_end() -> Option<String> {
        SERVER.end_after_lost_connection()
    }

    fn no_connection(error: Option<&sqlx::Error>) -> Option<String> {
        refusal::<sqlx::PgConnection>(error)
    }
}
