//! After each start of the server, templates with other tables than those of InnoDB are built again.

use std::sync::atomic::Ordering;

use crate::mysql::admin::AdminConnection;
use crate::mysql::restarts::{may_lose, restarts};
use crate::mysql::server::MySqlServer;
use crate::server::driver::Losses;

impl Losses for MySqlServer {
    const LOSS: &'static str = "was started again, and so has emptied its tables of the engine `MEMORY` and may have \
        lost rows of others that are not of `InnoDB`";

    fn losses(&self) -> i64 {
        self.restarts.load(Ordering::Acquire)
    }

    async fn note_losses(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        let restarts = restarts(admin).await?;
        self.restarts.store(restarts, Ordering::Release);
        Ok(())
    }

    async fn may_lose(&self, admin: &mut AdminConnection, name: &str) -> Result<bool, sqlx::Error> {
        may_lose(admin, name).await
    }
}
