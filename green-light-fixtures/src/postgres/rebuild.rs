//! Templates that are built anew in this run, whatever was kept.

use crate::env;
use crate::error::Error;
use crate::postgres::admin::{AdminConnection, run};
use crate::postgres::client::Office;
use crate::postgres::errors::failed;
use crate::postgres::reaper;
use crate::server::query_ext::QueryExt as _;

/// A run in which every template is built anew, once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anew {
    run: &'static str,
}

impl Anew {
    /// Whether this is such a run.
    pub(crate) async fn wanted(office: &Office) -> Result<Option<Self>, Error> {
        let Some(of_run) = env::forced_rebuild()? else {
            return Ok(None);
        };
        let table = "CREATE TABLE IF NOT EXISTS green_light.rebuilt (name text PRIMARY KEY, run text NOT NULL)";
        let mut front = office.front().await;
        // Of several that make it at once, some are told that it is there.
        let known = "SELECT FROM green_light.rebuilt LIMIT 0";
        if run(&mut front, known.to_owned()).await.is_err() {
            let made = run(&mut front, table.to_owned()).await;
            if let Err(error) = made
                && run(&mut front, known.to_owned()).await.is_err()
            {
                return Err(failed("templates cannot be built again", error));
            }
        }
        Ok(Some(Self { run: of_run }))
    }

    /// Whether the template `name` was built in this run.
    pub(crate) async fn is_done(
        self,
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM green_light.rebuilt WHERE name = $1 AND run = $2)",
        )
        .bind(name)
        .bind(self.run)
        .fetch_one_with(connection)
        .await
    }

    /// Drops the template that was kept, and what was made from it for tests to come.
    pub(crate) async fn make_room(
        self,
        office: &Office,
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        for sql in [
            "DELETE FROM green_light.template WHERE name = $1",
            "UPDATE green_light.database SET state = 'done' WHERE template = $1 AND state = 'free'",
            // What somebody has still does not come back.
            "UPDATE green_light.database SET template = '' WHERE template = $1 AND state = 'taken'",
        ] {
            let sql = sqlx::query(sql).bind(name);
            sql.execute_with(&mut *connection).await?;
        }
        reaper::discard_template(office, connection, name).await
    }

    /// The template `name` has been built.
    pub(crate) async fn done(
        self,
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO green_light.rebuilt VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET run = $2",
        )
        .bind(name)
        .bind(self.run)
        .execute_with(connection)
        .await
        .map(drop)
    }
}
