//! Drops what is left over, in batches, one janitor at a time on a server.
//!
//! Left over is: a database whose test has ended; one whose process no longer holds its lock; one
//! that bears our mark and is in no registry. Nothing else is ever dropped, whatever its name.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Row as _};

use crate::error::Error;
use crate::postgres::admin::{AdminConnection, literal, quoted, run};
use crate::postgres::client::Office;
use crate::postgres::errors::{IN_USE, failed, has_code};
use crate::postgres::registry::{JANITOR, USE};
use crate::server::background::Background;
use crate::server::query_ext::QueryExt as _;
use crate::server::reaper_pass::Round;

/// How long one statement of it may take. To drop a database, a server asks all its sessions to let go
/// of files, and one that waits for a client that does not read never answers.
const STATEMENT: (&str, &str) = ("statement_timeout", "10s");

/// Free databases of templates that nobody has used for a while go as well, and those that are too many.
/// A schema has two templates, one of them for the sandbox, and four schemas keep theirs.
const SHELF: &str = "
SELECT name FROM (
  SELECT name, template, row_number() OVER (PARTITION BY template ORDER BY since DESC) AS number
  FROM green_light.database WHERE state = 'free') AS free
WHERE number > $2 OR template NOT IN (SELECT name FROM green_light.template ORDER BY used DESC LIMIT 8)";

const CLEAR_SHELF: &str = "
WITH old AS (SELECT d.name FROM green_light.database d
  WHERE d.state = 'free' AND d.name IN ({SHELF}) FOR UPDATE SKIP LOCKED)
UPDATE green_light.database d SET state = 'done' FROM old WHERE d.name = old.name AND $1 <> ''";

/// Templates that no living process uses, nor has any used for a while.
const OLD_TEMPLATES: &str = "
DELETE FROM green_light.template t WHERE used < now() - interval '1 hour'
  AND name NOT IN (SELECT name FROM green_light.template ORDER BY used DESC LIMIT 12)
  AND NOT EXISTS (SELECT FROM green_light.database d WHERE d.template = t.name)
  AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
    AND classid = $1::oid AND objid = hashtext(t.name)::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
RETURNING name";

/// Entered, and done with or without a living owner. A database of the same name that is neither
/// the one that was made nor marked is somebody else's.
const LEFT: &str = "
WITH here AS (SELECT oid FROM pg_database WHERE datname = current_database()),
alive AS MATERIALIZED (
  SELECT (classid::bigint << 32) | objid::bigint AS key FROM pg_locks, here
  WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database = here.oid)
SELECT r.name, d.oid IS NOT NULL, coalesce(d.datistemplate, false)
FROM green_light.database r LEFT JOIN pg_database d ON d.datname = r.name
WHERE (r.state = 'done' OR (r.state IN ('making', 'taken') AND r.owner NOT IN (SELECT key FROM alive)))
  AND (d.oid IS NULL OR r.oid IS NULL OR d.oid = r.oid
    OR position($1 IN coalesce(shobj_description(d.oid, 'pg_database'), '')) > 0)
ORDER BY r.since";

/// Marked, in no registry, used by nobody, and not a template.
const ORPHANS: &str = "
SELECT d.datname::text, true, false FROM pg_database d
WHERE position($1 IN coalesce(shobj_description(d.oid, 'pg_database'), '')) > 0
  AND NOT d.datistemplate
  AND NOT EXISTS (SELECT FROM green_light.database r WHERE r.name = d.datname)
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)";

/// How many there are to go.
const WORTH: &str = "
SELECT (SELECT count(*) FROM ({LEFT}) AS l) + (SELECT count(*) FROM ({ORPHANS}) AS o)
  + (SELECT count(*) FROM ({SHELF}) AS s)";

/// What may be dropped.
struct Leftover {
    name: String,
    is_there: bool,
    is_template: bool,
}

/// At the end of the process, which is done with all that it has.
pub(crate) async fn last(office: &Arc<Office>) {
    let mut front = office.front().await;
    let done =
        "UPDATE green_light.database SET state = 'done' WHERE owner = $1 AND state = 'taken'";
    let _ = sqlx::query(done)
        .bind(office.key)
        .execute_with(&mut *front)
        .await;
    if front.timed_out().is_some() {
        return;
    }
    drop(front);
    Round::last(|at_least| async move {
        // Mostly there is nothing to be done that is worth a connection.
        match worth(office).await {
            Ok(few) if few < at_least => Round::Done,
            _ => sweep(office, at_least).await,
        }
    })
    .await;
}

/// How many are left over on the server.
async fn worth(office: &Office) -> Result<usize, sqlx::Error> {
    let parts = [("{LEFT}", LEFT), ("{ORPHANS}", ORPHANS), ("{SHELF}", SHELF)];
    let count = parts.iter().fold(WORTH.to_owned(), |sql, (name, part)| {
        sql.replace(name, part)
    });
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(count))
        .bind(office.mark())
        .bind(Background::most())
        .fetch_one_with(&mut *office.front().await)
        .await?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// Waits until few enough databases of this process are left over, and helps.
pub(crate) async fn make_room(office: &Arc<Office>) -> Result<(), Error> {
    let backlog = &office.background.backlog;
    backlog
        .make_room(|| left(office), || sweep(office, 1))
        .await
}

/// How many databases of this process wait to be dropped.
async fn left(office: &Office) -> Result<i64, Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM green_light.database WHERE owner = $1 AND state = 'done'",
    )
    .bind(office.key)
    .fetch_one_with(&mut *office.front().await)
    .await
    .map_err(|error| failed("databases that wait to be dropped cannot be counted", error))
}

/// Drops what is left over if that is `at_least` so many, unless somebody else does.
pub(crate) async fn sweep(office: &Arc<Office>, at_least: usize) -> Round {
    Round::of(try_sweep(office, at_least)).await
}

async fn try_sweep(office: &Arc<Office>, at_least: usize) -> Result<Round, Error> {
    let Some(permit) = office.budget.try_permits(1).await? else {
        return Ok(Round::NoConnection);
    };
    let cannot = |error| failed("leftovers cannot be looked for", error);
    let options = office.maintenance.clone().options([STATEMENT]);
    let mut connection = AdminConnection::connect_when_free(&options)
        .await
        .map_err(cannot)?;
    let swept = clean(office, &mut connection, at_least).await;
    connection.close().await;
    drop(permit);
    swept.map_err(cannot)
}

async fn clean(
    office: &Office,
    connection: &mut AdminConnection,
    at_least: usize,
) -> Result<Round, sqlx::Error> {
    let alone: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, 0)")
        .bind(JANITOR)
        .fetch_one_with(&mut *connection)
        .await?;
    if !alone {
        return Ok(Round::Elsewhere);
    }
    sqlx::query(AssertSqlSafe(CLEAR_SHELF.replace("{SHELF}", SHELF)))
        .bind(office.mark())
        .bind(Background::most())
        .execute_with(&mut *connection)
        .await?;
    let mut found = leftovers(office, connection, LEFT).await?;
    found.extend(leftovers(office, connection, ORPHANS).await?);
    if found.len() < at_least {
        return Ok(Round::Done);
    }
    let templates: Vec<String> = sqlx::query_scalar(OLD_TEMPLATES)
        .bind(i64::from(USE))
        .fetch_all_with(&mut *connection)
        .await?;
    found.extend(templates.into_iter().map(|name| Leftover {
        name,
        is_there: true,
        is_template: true,
    }));
    let mut round = Round::Done;
    for leftover in &found {
        // One that somebody with more rights is connected to must not keep the others: they come
        // first the next time.
        let forget = match discard(office, connection, leftover).await {
            Ok(()) => "DELETE FROM green_light.database WHERE name = $1",
            Err(error) => {
                round = Round::Refused(error.to_string());
                "UPDATE green_light.database SET since = clock_timestamp() WHERE name = $1"
            }
        };
        sqlx::query(forget)
            .bind(&leftover.name)
            .execute_with(&mut *connection)
            .await?;
    }
    Ok(round)
}

async fn leftovers(
    office: &Office,
    connection: &mut AdminConnection,
    query: &'static str,
) -> Result<Vec<Leftover>, sqlx::Error> {
    let rows = sqlx::query(query)
        .bind(office.mark())
        .fetch_all_with(connection)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Leftover {
                name: row.try_get(0)?,
                is_there: row.try_get(1)?,
                is_template: row.try_get(2)?,
            })
        })
        .collect()
}

/// Drops the template `name`, if it is ours and there.
pub(crate) async fn discard_template(
    office: &Office,
    connection: &mut AdminConnection,
    name: &str,
) -> Result<(), sqlx::Error> {
    let ours: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate \
         AND position($2 IN coalesce(shobj_description(oid, 'pg_database'), '')) > 0)",
    )
    .bind(name)
    .bind(office.mark())
    .fetch_one_with(&mut *connection)
    .await?;
    let template = Leftover {
        name: name.to_owned(),
        is_there: ours,
        is_template: true,
    };
    discard(office, connection, &template).await
}

async fn discard(
    office: &Office,
    connection: &mut AdminConnection,
    leftover: &Leftover,
) -> Result<(), sqlx::Error> {
    if !leftover.is_there {
        return Ok(());
    }
    let name = quoted(&leftover.name);
    if leftover.is_template {
        run(
            connection,
            format!("ALTER DATABASE {name} IS_TEMPLATE false"),
        )
        .await?;
    }
    let force = if office.facts.version >= 130_000 {
        " WITH (FORCE)"
    } else {
        ""
    };
    let drop = format!("DROP DATABASE IF EXISTS {name}{force}");
    match run(connection, drop.clone()).await {
        Err(error)
            if has_code(&error, IN_USE)
                && roll_back_prepared(office, connection, &leftover.name).await? =>
        {
            run(connection, drop).await
        }
        other => other,
    }
}

/// Rolls back what tests have prepared to be committed by somebody else: nothing else ends it, and as
/// long as it is there its database cannot be dropped. Whether there was something.
async fn roll_back_prepared(
    office: &Office,
    connection: &mut AdminConnection,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let prepared: Vec<String> =
        sqlx::query_scalar("SELECT gid FROM pg_prepared_xacts WHERE database = $1")
            .bind(name)
            .fetch_all_with(connection)
            .await?;
    if prepared.is_empty() {
        return Ok(false);
    }
    // Only in its own database can it be ended.
    let mut inside =
        AdminConnection::connect_when_free(&office.options_of(name).options([STATEMENT])).await?;
    for gid in prepared {
        run(&mut inside, format!("ROLLBACK PREPARED {}", literal(&gid))).await?;
    }
    inside.close().await;
    Ok(true)
}
