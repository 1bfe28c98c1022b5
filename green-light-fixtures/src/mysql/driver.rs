//! MySQL as one of the databases that green-light knows.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _};

use crate::database_pool::pool_driver;
use crate::error::{Error, Kind};
use crate::local_server::variables;
use crate::mysql::admin::names;
use crate::mysql::dialect::{MySqlDialect, has_session_word};
use crate::mysql::errors::failed;
use crate::mysql::local_server::SERVER;
use crate::mysql::sandbox::MySqlSandbox;
use crate::mysql::server::MySqlServer;
use crate::server::database_lease::DatabaseLease;
use crate::server::template::ServerTemplate;
use crate::server::test_server::{OnServer, TestServer};
use crate::url::DatabaseUrl;

pub(crate) static DRIVER: OnServer<MySqlServer> = OnServer::NEW;

impl TestServer for MySqlServer {
    type Sandbox = MySqlSandbox;

    fn check_variables() -> Result<(), Error> {
        variables::check()
    }

    async fn find() -> Result<(DatabaseUrl, bool), Error> {
        let server = SERVER.obtain().await?;
        Ok((server.url, server.is_ours))
    }

    async fn open_sandbox(
        template: &ServerTemplate<Self>,
        test: &str,
        wait: Duration,
    ) -> Result<(MySqlSandbox, DatabaseLease<Self>), Error> {
        let routines_dirty_session = template.routines_dirty_session().await?;
        let lease = template.lease_for_slot(test).await?;
        let sandbox = MySqlSandbox::new(lease.options(), wait, routines_dirty_session);
        Ok((sandbox, lease))
    }
}

pool_driver!(
    MySql,
    MySqlDialect,
    fn server_end() -> Option<String> {
        SERVER.end_after_lost_connection()
    }
);

impl ServerTemplate<MySqlServer> {
    /// Whether a trigger or routine may leave a variable, a lock or a temporary table in the session of a test.
    ///
    /// # Errors
    ///
    /// When a table cannot roll back.
    async fn routines_dirty_session(&self) -> Result<bool, Error> {
        let check = async || {
            self.check_engines().await?;
            // One that may not be read is taken to leave something.
            let texts = format!(
                "SELECT action_statement FROM information_schema.triggers \
                 WHERE trigger_schema = '{0}' UNION ALL \
                 SELECT coalesce(routine_definition, '@') FROM information_schema.routines \
                 WHERE routine_schema = '{0}'",
                self.info.name
            );
            let texts = names(&mut *self.client.admin().await, texts).await;
            let texts = texts.map_err(|error| failed("the triggers cannot be read", error))?;
            Ok(texts.iter().any(|text| has_session_word(text)))
        };
        let known = self
            .info
            .details
            .routines_dirty_session
            .get_or_try_init(check);
        known.await.copied()
    }

    /// Fails if a table takes no part in transactions.
    async fn check_engines(&self) -> Result<(), Error> {
        // Without parameters: a test may be over before the answer is there.
        let found = format!(
            "SELECT table_name, t.engine FROM information_schema.tables AS t \
             JOIN information_schema.engines AS e ON e.engine = t.engine \
             WHERE table_schema = '{}' AND coalesce(e.transactions, 'NO') <> 'YES' ORDER BY 1 LIMIT 1",
            self.info.name
        );
        let cannot = |error| failed("the storage engines of the tables could not be read", error);
        let mut admin = self.client.admin().await;
        let found = admin.fetch_optional(AssertSqlSafe(found)).await;
        let Some(row) = found.map_err(cannot)? else {
            return Ok(());
        };
        let table: String = row.try_get_unchecked(0).map_err(cannot)?;
        let engine: String = row.try_get_unchecked(1).map_err(cannot)?;
        Err(Error::new(
            Kind::Schema,
            format!("table `{table}` has engine {engine}, which cannot roll back"),
        )
        .at(self.schema.place())
        .help("write `ENGINE = InnoDB` for it, or isolate its tests with `Isolation::Database`"))
    }
}
