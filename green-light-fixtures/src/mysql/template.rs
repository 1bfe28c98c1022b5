//! What the sandbox needs of a template, besides databases like it.

use sqlx::{AssertSqlSafe, Row as _};

use crate::error::{Error, Kind};
use crate::mysql::errors::failed;
use crate::mysql::routines::RoutineEffects;
use crate::mysql::server::MySqlServer;
use crate::server::template::ServerTemplate;

pub(crate) type MySqlTemplate = ServerTemplate<MySqlServer>;

impl MySqlTemplate {
    /// What its routines do to a session that a test of the sandbox has.
    ///
    /// # Errors
    ///
    /// When a table cannot roll back.
    pub(crate) async fn routine_effects(&self) -> Result<RoutineEffects, Error> {
        let check = async || {
            self.check_engines().await?;
            let effects =
                RoutineEffects::of(&mut *self.client.admin().await, &self.info.name).await;
            effects.map_err(|error| failed("the server does not tell its triggers", error))
        };
        self.info
            .details
            .effects
            .get_or_try_init(check)
            .await
            .copied()
    }

    /// Tables that do not take part in transactions.
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
