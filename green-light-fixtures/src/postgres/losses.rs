//! What PostgreSQL loses in a crash: the rows of `UNLOGGED` tables, and how far their sequences are.
//!
//! The number of crashes is a part of what a template is found by, so those from before a crash are found no more.

use std::sync::atomic::Ordering;

use crate::postgres::admin::AdminConnection;
use crate::postgres::registry_tables::crashes;
use crate::postgres::server::PostgresServer;
use crate::server::driver::{Losses, ServerAccess as _};

impl Losses for PostgresServer {
    const LOSS: &'static str =
        "has crashed, or was killed, and so has emptied its `UNLOGGED` tables";

    fn losses(&self) -> i64 {
        self.crashes.load(Ordering::Acquire)
    }

    async fn note_losses(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        let crashes = crashes(admin).await?;
        if self.crashes.swap(crashes, Ordering::AcqRel) != crashes {
            // No template from before it is used any more.
            self.templates_in_use.lock().clear();
        }
        Ok(())
    }

    async fn may_lose(&self, _: &mut AdminConnection, name: &str) -> Result<bool, sqlx::Error> {
        let mut inside = AdminConnection::connect_when_free(&self.options_of(name)).await?;
        let unlogged = "SELECT EXISTS (SELECT FROM pg_class WHERE relpersistence = 'u')";
        let may_lose = inside.fetch_one(sqlx::query_scalar(unlogged)).await;
        inside.close().await;
        may_lose
    }
}
