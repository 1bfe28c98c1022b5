//! How a database of the sandbox becomes ready for another slot.
//!
//! Nothing was ever committed to it. The counters of its tables are reset.

use sqlx::{AssertSqlSafe, MySqlPool, Row as _};

use crate::mysql::admin::{AdminConnection, number, run};
use crate::mysql::copy::quoted;
use crate::mysql::server::MySqlServer;
use crate::server::background::Background;
use crate::server::driver::Recycling;

/// MySQL caches the counters of tables for a day by default. MariaDB does not know the setting.
const FRESH: &str =
    "SET @green_light = 0 /*!80001 , SESSION information_schema_stats_expiry = 0 */";

impl Recycling for MySqlServer {
    async fn end_session(pool: &MySqlPool) -> Result<(), sqlx::Error> {
        pool.close().await;
        Ok(())
    }

    async fn recycle(&self, admin: &mut AdminConnection, name: &str) -> Result<bool, sqlx::Error> {
        let ready = format!(
            "SELECT count(*) FROM green_light.test_databases d JOIN green_light.test_databases own \
             ON own.digest = d.digest WHERE own.name = '{name}' AND d.state IN ('free', 'used', 'ahead')"
        );
        if number(admin, ready).await? >= Background::max_ready() {
            return Ok(false);
        }
        reset_counters(admin, name).await?;
        let recycle = format!(
            "UPDATE green_light.test_databases SET state = 'used', run = NULL, since = now(6) \
             WHERE name = '{name}' AND run = '{}' AND state = 'taken' AND digest <> ''",
            self.process
        );
        let recycled = admin.execute(AssertSqlSafe(recycle)).await?;
        Ok(recycled.rows_affected() == 1)
    }
}

/// A rollback does not reset the counters that tables have for their keys.
async fn reset_counters(admin: &mut AdminConnection, name: &str) -> Result<(), sqlx::Error> {
    let moved = format!(
        "{FRESH}; SELECT d.table_name, t.auto_increment FROM information_schema.tables d \
         JOIN information_schema.tables t ON t.table_name = d.table_name \
         WHERE d.table_schema = '{name}' AND d.auto_increment IS NOT NULL \
         AND t.table_schema = (SELECT p.name FROM green_light.templates p \
           JOIN green_light.test_databases b ON b.digest = p.digest WHERE b.name = '{name}') \
         AND NOT d.auto_increment <=> t.auto_increment"
    );
    for row in admin.fetch_all(AssertSqlSafe(moved)).await? {
        let table: String = row.try_get_unchecked(0)?;
        let next: u64 = row.try_get_unchecked(1)?;
        let (name, table) = (quoted(name), quoted(&table));
        run(
            admin,
            format!("ALTER TABLE {name}.{table} AUTO_INCREMENT = {next}"),
        )
        .await?;
    }
    Ok(())
}
