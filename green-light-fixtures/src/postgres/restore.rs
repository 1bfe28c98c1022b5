//! Gives the shared PostgreSQL database the contents of its template again: another clone of the template
//! gets its name.
//!
//! All connections to the used database are ended, since a database in use cannot be renamed. The used
//! database is then dropped in the background like any other.

use std::{sync::Arc, time::Duration, time::Instant};

use crate::driver::traits::ALL_TESTS;
use crate::error::{Error, Kind};
use crate::postgres::admin::{AdminConnection, literal, quoted};
use crate::postgres::errors::failed;
use crate::postgres::server::PostgresServer;
use crate::server::background::spawn;
use crate::server::client::ServerClient;
use crate::server::database_lease::DatabaseLease;
use crate::server::driver::{Purpose, TemplateInfo};
use crate::server::names::new_name;
use crate::server::ready_pool;
use crate::server::reaper;
use crate::server::test_database::{Before, Restoring};

/// How long to wait before looking again at what others do.
const PAUSE: Duration = Duration::from_millis(1);

/// What a test has left that may still change the database, in words. A transaction that has only read is no
/// harm.
const HOLDERS: &str = "
SELECT format('the transaction `%s` is prepared and not ended: `ROLLBACK PREPARED` with its name ends it', gid)
FROM pg_prepared_xacts WHERE database = $1
UNION ALL (
  SELECT format('`%s` has a transaction open; its last statement: `%s`',
    coalesce(nullif(application_name, ''), 'a connection'), left(query, 100))
  FROM pg_stat_activity a WHERE datname = $1 AND backend_type = 'client backend'
    AND (backend_xid IS NOT NULL OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted
      AND l.locktype = 'relation' AND l.mode <> 'AccessShareLock'))
  ORDER BY xact_start LIMIT 3)";

impl Restoring for PostgresServer {
    type Pristine = ();

    async fn check_unlocked(
        client: &ServerClient<PostgresServer>,
        _template: &TemplateInfo<Self>,
        name: &str,
        patience: Duration,
    ) -> Result<Option<AdminConnection>, Error> {
        let begun = Instant::now();
        loop {
            let holders = sqlx::query_scalar(HOLDERS).bind(name);
            let holders: Vec<String> = (client.admin().await.fetch_all(holders).await)
                .map_err(|error| failed("it is not known who uses the shared database", error))?;
            if holders.is_empty() {
                return Ok(None);
            }
            if begun.elapsed() >= patience {
                return Err(Error::new(Kind::Held, holders.join("\n  ")));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn restore(
        client: &Arc<ServerClient<Self>>,
        template: &Arc<TemplateInfo<Self>>,
        name: &str,
        _before: Before<Self>,
        _is_held: bool,
        patience: Duration,
    ) -> Result<Option<()>, Error> {
        let purpose = Purpose::Test(ALL_TESTS.to_owned());
        reaper::throttle(client).await?;
        let clone = ready_pool::pop_or_create(client, template, purpose).await?;
        let clone = DatabaseLease::new(Arc::clone(client), clone, None);
        swap(client, name, clone.name(), patience).await?;
        clone.note_swapped();
        Ok(None)
    }
}

impl DatabaseLease<PostgresServer> {
    /// Its database has taken the place of another lease's, which is garbage now.
    fn note_swapped(mut self) {
        self.name.clear();
        let client = Arc::clone(&self.client);
        client.background.backlog.leave();
        client.background.backlog.left(false);
        if let Some(batch) = client.background.note_released() {
            spawn(async move {
                reaper::reap(&client, batch).await;
            });
        }
    }
}

/// Puts the database `clone` in the place of the database `name`, which is garbage from then on.
async fn swap(
    client: &Arc<ServerClient<PostgresServer>>,
    name: &str,
    clone: &str,
    patience: Duration,
) -> Result<(), Error> {
    let cannot = |error| failed("the shared database cannot be replaced", error);
    let mut admin = client.admin().await;
    let used = end_connections(client, &mut admin, name, patience).await;
    let garbage = new_name("d");
    let mut statements = String::new();
    if used.map_err(cannot)? {
        let (name, garbage) = (quoted(name), quoted(&garbage));
        statements = format!("ALTER DATABASE {name} RENAME TO {garbage}; ");
    }
    let (clone_text, garbage_text, name_text) = (literal(clone), literal(&garbage), literal(name));
    // One message is one transaction.
    statements.push_str(&format!(
        "ALTER DATABASE {} RENAME TO {}; \
         UPDATE green_light.database SET name = {garbage_text}, state = 'done', since = clock_timestamp() \
           WHERE name = {name_text}; \
         UPDATE green_light.database SET name = {name_text} WHERE name = {clone_text}",
        quoted(clone),
        quoted(name),
    ));
    admin.run(statements).await.map_err(cannot)
}

/// Ends all connections to the database `name`, which takes no new ones. `false` if there is no such database.
async fn end_connections(
    client: &ServerClient<PostgresServer>,
    admin: &mut AdminConnection,
    name: &str,
    patience: Duration,
) -> Result<bool, sqlx::Error> {
    let is_there = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    let is_there = sqlx::query_scalar(is_there).bind(name);
    if !admin.fetch_one(is_there).await? {
        return Ok(false);
    }
    client.driver.roll_back_prepared(admin, name).await?;
    let close = format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", quoted(name));
    admin.run(close).await?;
    let begun = Instant::now();
    loop {
        let ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = $1 AND backend_type = 'client backend'";
        let ended = admin.execute(sqlx::query(ended).bind(name)).await?;
        if ended.rows_affected() == 0 || begun.elapsed() >= patience {
            return Ok(true);
        }
        tokio::time::sleep(PAUSE).await;
    }
}
