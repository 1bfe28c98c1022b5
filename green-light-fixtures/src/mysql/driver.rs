//! MySQL as one of the databases that green-light knows.

use std::{sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, Row as _};

use crate::database_pool::pool_driver;
use crate::driver::listed_database::Shell;
use crate::driver::local_server_state::LocalServerState;
use crate::driver::server_facts::{ServerFacts, ServerState};
use crate::error::{Error, Kind};
use crate::local_server::variables;
use crate::mysql::admin::names;
use crate::mysql::counters::Counters;
use crate::mysql::dialect::MySqlDialect;
use crate::mysql::errors::failed;
use crate::mysql::local_server::SERVER;
use crate::mysql::sandbox::MySqlSandbox;
use crate::mysql::server::MySqlServer;
use crate::mysql::session_traces::{program_may_leave, program_may_write};
use crate::mysql::template_sql::TemplateTraces;
use crate::mysql::upkeep;
use crate::server::database_lease::DatabaseLease;
use crate::server::driver::TemplateInfo;
use crate::server::shortage::refusal;
use crate::server::template::{Edition, ServerTemplate};
use crate::server::test_server::{OnServer, TestServer};
use crate::url::DatabaseUrl;

pub(crate) static DRIVER: OnServer<MySqlServer> = OnServer::NEW;

impl TestServer for MySqlServer {
    type Sandbox = MySqlSandbox;

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
    ) -> Result<(MySqlSandbox, DatabaseLease<Self>), Error> {
        let traces = template.traces(&edition.info).await?;
        let lease = template.lease_for_slot(edition, test).await?;
        let sandbox = MySqlSandbox::new(lease.options(), wait, traces);
        Ok((sandbox, lease))
    }
}

pool_driver! {
    MySql,
    MySqlDialect,
    fn server_end() -> Option<String> {
        SERVER.end_after_lost_connection()
    }

    fn no_connection(error: Option<&sqlx::Error>) -> Option<String> {
        refusal::<sqlx::MySqlConnection>(error)
    }
}

impl ServerTemplate<MySqlServer> {
    /// What a rollback does not take away of a test in one of its databases.
    ///
    /// # Errors
    ///
    /// When a table cannot roll back.
    async fn traces(&self, info: &TemplateInfo<MySqlServer>) -> Result<Arc<TemplateTraces>, Error> {
        let look = async || {
            self.check_engines(&info.name).await?;
            let traces = self.look_for_traces(&info.name).await;
            let traces = traces.map_err(|error| failed("the triggers cannot be read", error))?;
            Ok(Arc::new(traces))
        };
        let known = info.details.traces.get_or_try_init(look);
        known.await.cloned()
    }

    async fn look_for_traces(&self, template: &str) -> Result<TemplateTraces, sqlx::Error> {
        let mut admin = self.client.admin().await;
        // A program that may not be read is taken to leave something. Procedures are called by statements that are.
        let programs = format!(
            "SELECT action_statement FROM information_schema.triggers \
             WHERE trigger_schema = '{template}' UNION ALL \
             SELECT coalesce(if(routine_body = 'SQL', routine_definition, '@'), '@') \
             FROM information_schema.routines \
             WHERE routine_schema = '{template}' AND routine_type <> 'PROCEDURE' UNION ALL \
             SELECT coalesce(nullif(view_definition, ''), '@') FROM information_schema.views \
             WHERE table_schema = '{template}'"
        );
        let programs = names(&mut admin, programs).await?;
        let leaves = programs.iter().any(|body| program_may_leave(body));
        let writes = programs.iter().any(|body| program_may_write(body));
        let counters = Counters::of(&mut admin, template, writes).await?;
        Ok(TemplateTraces {
            template: template.to_owned(),
            programs_dirty_session: leaves || counters.has_sequences,
            counters,
        })
    }

    /// Fails if a table takes no part in transactions.
    async fn check_engines(&self, template: &str) -> Result<(), Error> {
        // Without parameters: a test may be over before the answer is there.
        let found = format!(
            "SELECT table_name, t.engine FROM information_schema.tables AS t \
             JOIN information_schema.engines AS e ON e.engine = t.engine \
             WHERE table_schema = '{template}' AND coalesce(e.transactions, 'NO') <> 'YES' ORDER BY 1 LIMIT 1",
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
