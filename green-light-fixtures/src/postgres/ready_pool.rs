//! Databases made from a template ahead of the tests that want them, for all processes together.
//!
//! A test takes one that is free, or makes one if there is none; either way another is then made in
//! the background, if there are few. What a test had is done with when its claim is dropped; the
//! janitor drops it. Only a database of the sandbox may come back, see `back.rs`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::AssertSqlSafe;

use crate::error::Error;
use crate::postgres::admin::{AdminConnection, quoted, run};
use crate::postgres::client::Office;
use crate::postgres::database_lease::Claim;
use crate::postgres::errors::failed;
use crate::postgres::template::{Content, Pattern};
use crate::postgres::{database_properties, reaper};
use crate::server::background::{Background, on_own_runtime, spawn};
use crate::server::connection_holders::Holding;
use crate::server::names::new_name;
use crate::server::query_ext::QueryExt as _;

/// How a database is made from a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Copied page by page through the log, as PostgreSQL does by default.
    Clone,
    /// Copied file by file, between two checkpoints.
    CopyFiles,
    /// Made by running the schema again.
    Replay,
}

impl Strategy {
    const ALL: [Self; 3] = [Self::Clone, Self::CopyFiles, Self::Replay];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Clone => "clone",
            Self::CopyFiles => "copy-files",
            Self::Replay => "replay",
        }
    }

    /// The strategy that the registry names; the usual one if a later version wrote it.
    pub(crate) fn of_name(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|known| known.name() == name);
        known.unwrap_or(Self::Clone)
    }
}

impl Pattern {
    /// How many databases of it are to be ready.
    pub(crate) fn enough(&self) -> i64 {
        match self.content {
            Content::Schema(_) => Background::target(),
            Content::Guarded(_) => Background::SPARE,
        }
    }
}

/// The databases that are ready.
pub(crate) struct Stock;

impl Stock {
    /// Takes a free database for `test`, or makes one.
    pub(crate) async fn claim(
        office: &Arc<Office>,
        pattern: &Arc<Pattern>,
        test: &str,
    ) -> Result<Claim, Error> {
        let (office, pattern, test) = (Arc::clone(office), Arc::clone(pattern), test.to_owned());
        on_own_runtime(async move {
            reaper::make_room(&office).await?;
            let permits = match pattern.content {
                Content::Schema(_) => office.budget.permits_of(&test).await?,
                Content::Guarded(_) => {
                    office
                        .budget
                        .permits_if(Holding::may_wait(&test), 1)
                        .await?
                }
            };
            let (name, left) = match Self::take(&office, &pattern, &test).await? {
                Some(taken) => taken,
                None => (Self::make_now(&office, &pattern, &test).await?, 0),
            };
            if left < pattern.enough() {
                Self::replenish(&office, &pattern);
            }
            Ok(Claim::new(office, name, permits))
        })
        .await
    }

    /// Takes a free database, if there is one. Says how many are left.
    async fn take(
        office: &Office,
        pattern: &Pattern,
        test: &str,
    ) -> Result<Option<(String, i64)>, Error> {
        let mut front = office.front().await;
        sqlx::query_as(
            "WITH free AS (SELECT name FROM green_light.database \
               WHERE template = $1 AND state = 'free' ORDER BY since LIMIT 1 FOR UPDATE SKIP LOCKED) \
             UPDATE green_light.database d SET state = 'taken', owner = $2, test = $3, \
               since = clock_timestamp() FROM free WHERE d.name = free.name RETURNING d.name, \
               (SELECT count(*) - 1 FROM green_light.database \
                WHERE template = $1 AND test IS NULL AND state IN ('free', 'making'))",
        )
        .bind(&pattern.name)
        .bind(office.key)
        .bind(test)
        .fetch_optional_with(&mut *front)
        .await
        .map_err(|error| failed("no database can be taken", error))
    }

    async fn make_now(
        office: &Arc<Office>,
        pattern: &Arc<Pattern>,
        test: &str,
    ) -> Result<String, Error> {
        // The connections of the test are not open yet, so this is one of them.
        let mut connection = AdminConnection::connect_when_free(&office.maintenance)
            .await
            .map_err(|error| failed("no database can be made", error))?;
        let made = Self::make(
            office,
            &mut connection,
            pattern,
            pattern.strategy,
            Some(test),
        )
        .await;
        connection.close().await;
        made
    }

    /// Enters a database in the registry, before `connection` makes it.
    ///
    /// From here on the connection holds the key of the process as well: a server that makes a database
    /// for a client that was killed goes on with it, and what is not there yet cannot be dropped.
    pub(crate) async fn enter(
        connection: &mut AdminConnection,
        office: &Office,
        name: &str,
        template: &str,
        state: &str,
        test: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO green_light.database (name, template, state, owner, test) \
             VALUES ($1, $2, $3, $4, $5) RETURNING pg_advisory_lock_shared($4)",
        )
        .bind(name)
        .bind(template)
        .bind(state)
        .bind(office.key)
        .bind(test)
        .execute_with(connection)
        .await
        .map(drop)
    }

    /// Makes a database from a template: for `test`, or for whoever comes.
    async fn make(
        office: &Arc<Office>,
        connection: &mut AdminConnection,
        pattern: &Pattern,
        strategy: Strategy,
        test: Option<&str>,
    ) -> Result<String, Error> {
        let cannot = |error| failed("a database cannot be made from the template", error);
        let name = new_name("d");
        Self::enter(connection, office, &name, &pattern.name, "making", test)
            .await
            .map_err(cannot)?;
        let mut create = format!("CREATE DATABASE {}", quoted(&name));
        if strategy != Strategy::Replay {
            create.push_str(&format!(" TEMPLATE {}", quoted(&pattern.name)));
        }
        // Older servers know one way only, that of files.
        match strategy {
            Strategy::Clone if office.facts.version >= 150_000 => {
                create.push_str(" STRATEGY wal_log");
            }
            Strategy::CopyFiles if office.facts.version >= 150_000 => {
                create.push_str(" STRATEGY file_copy");
            }
            _ => {}
        }
        let created = connection.execute_slow(AssertSqlSafe(create)).await;
        created.map_err(cannot)?;
        if strategy == Strategy::Replay {
            pattern
                .content
                .fill(office, &name, Duration::from_secs(5))
                .await?;
        }
        run(
            connection,
            database_properties::of(&pattern.likeness, &name),
        )
        .await
        .map_err(cannot)?;
        sqlx::query(
            "UPDATE green_light.database SET state = CASE WHEN test IS NULL THEN 'free' ELSE 'taken' END, \
             owner = CASE WHEN test IS NULL THEN NULL ELSE owner END, \
             oid = (SELECT oid FROM pg_database WHERE datname = $1) WHERE name = $1",
        )
        .bind(&name)
        .execute_with(connection)
        .await
        .map_err(cannot)?;
        Ok(name)
    }

    /// Makes databases of a template in the background until enough are free.
    pub(crate) fn replenish(office: &Arc<Office>, pattern: &Arc<Pattern>) {
        let (office, pattern) = (Arc::clone(office), Arc::clone(pattern));
        if !office.background.replenishes(&pattern.name) {
            return;
        }
        spawn(async move {
            let busy = office.background.busy().await;
            // What cannot be made ahead is made when a test wants it, and an error is told then.
            let _ = Self::fill_up(&office, &pattern).await;
            drop(busy);
            office.background.replenished(&pattern.name);
        });
    }

    async fn fill_up(office: &Arc<Office>, pattern: &Pattern) -> Result<(), Error> {
        if !Self::is_short(office, pattern).await? {
            return Ok(());
        }
        // One to make databases, and one for the first look at each.
        let Some(permit) = office.budget.try_permits(2).await? else {
            return Ok(());
        };
        let cannot = |error| failed("no database can be made ahead", error);
        let mut connection = AdminConnection::connect_when_free(&office.maintenance)
            .await
            .map_err(cannot)?;
        let mut made = Ok(String::new());
        let is_due = || !office.background.is_closing() && !office.background.backlog.is_full();
        while made.is_ok() && is_due() && Self::is_short(office, pattern).await? {
            made = Self::make(office, &mut connection, pattern, pattern.strategy, None).await;
            if pattern.strategy != Strategy::CopyFiles
                && let Ok(name) = &made
                && let Ok(first) =
                    AdminConnection::connect_when_free(&office.options_of(name)).await
            {
                // The first connection to a new database writes down what all need of its catalog, and
                // takes twice as long. Among copied files is that of the template.
                first.close().await;
            }
        }
        connection.close().await;
        drop(permit);
        made.map(drop)
    }

    async fn is_short(office: &Office, pattern: &Pattern) -> Result<bool, Error> {
        let mut front = office.front().await;
        let ready: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM green_light.database \
             WHERE template = $1 AND test IS NULL AND state IN ('free', 'making')",
        )
        .bind(&pattern.name)
        .fetch_one_with(&mut *front)
        .await
        .map_err(|error| failed("the stock cannot be counted", error))?;
        Ok(ready < pattern.enough())
    }

    /// Finds out which strategy is the fastest here for this template.
    ///
    /// What is made for that goes into the stock. `built` is how long the schema took, which is what
    /// running it again would take.
    pub(crate) async fn measure(
        office: &Arc<Office>,
        connection: &mut AdminConnection,
        pattern: impl Fn(Strategy) -> Pattern,
        built: Option<Duration>,
    ) -> Result<(Strategy, String), Error> {
        let mut times = Vec::new();
        let content = &pattern(Strategy::Clone).content;
        if let Some(built) = built.filter(|_| content.is_replayable()) {
            times.push((Strategy::Replay, built));
        }
        let candidates: &[Strategy] = if office.facts.version >= 150_000 {
            // Files are copied between two checkpoints. The first time these write what building the
            // template has left in memory; later there is hardly anything to write.
            &[Strategy::CopyFiles, Strategy::CopyFiles, Strategy::Clone]
        } else {
            &[Strategy::Clone]
        };
        for &strategy in candidates {
            let pattern = pattern(strategy);
            let started = Instant::now();
            Self::make(office, connection, &pattern, strategy, None).await?;
            times.push((strategy, started.elapsed()));
        }
        times.sort_by_key(|(_, time)| *time);
        let shown: Vec<_> = times
            .iter()
            .map(|(strategy, time)| {
                format!("{} {:.1} ms", strategy.name(), time.as_secs_f64() * 1e3)
            })
            .collect();
        let fastest = times
            .first()
            .map_or(Strategy::Clone, |(strategy, _)| *strategy);
        Ok((fastest, shown.join(", ")))
    }
}
