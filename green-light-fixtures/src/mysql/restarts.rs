//! What MySQL loses when it is started again: the rows of tables of the engine `MEMORY`; and after a crash, rows of
//! tables that have no log, such as those of `MyISAM`, and of Aria without transactions. Only InnoDB is trusted.
//!
//! A table in memory tells of it: it is empty afterwards. Templates with other tables than those of InnoDB are taken
//! off the list then, and so are databases that were made from them ahead of tests.

use crate::mysql::admin::{AdminConnection, names, number, numbers, unlock};
use crate::mysql::registry_tables::forget_template;

/// Held by the process that finds out what was lost.
const LOCK: &str = "green_light.restarts";
/// How long to wait for it, in seconds.
const PATIENCE: u32 = 10;

/// How often the server has been started again, if it has not since the last look.
const KNOWN: &str = "SELECT max(number) FROM green_light.restarts \
    WHERE EXISTS (SELECT 1 FROM green_light.emptied_by_restart)";

/// How often the server has been started again.
pub(crate) async fn restarts(admin: &mut AdminConnection) -> Result<i64, sqlx::Error> {
    if let Some(number) = known(admin).await? {
        return Ok(number);
    }
    let lock = format!("SELECT GET_LOCK('{LOCK}', {PATIENCE})");
    if numbers(admin, lock).await? != [Some(1)] {
        let text = "another process has been looking for too long for what a restart has emptied";
        return Err(sqlx::Error::Protocol(text.to_owned()));
    }
    let number = count(admin).await;
    unlock(admin, LOCK).await?;
    number
}

async fn known(admin: &mut AdminConnection) -> Result<Option<i64>, sqlx::Error> {
    let found = numbers(admin, KNOWN.to_owned()).await?;
    Ok(found.into_iter().flatten().next())
}

async fn count(admin: &mut AdminConnection) -> Result<i64, sqlx::Error> {
    if let Some(number) = known(admin).await? {
        return Ok(number);
    }
    let mut texts = "START TRANSACTION; ".to_owned();
    let templates = "SELECT concat(digest, ' ', name) FROM green_light.templates";
    for template in names(admin, templates.to_owned()).await? {
        if let Some((digest, name)) = template.split_once(' ')
            && may_lose(admin, name).await?
        {
            texts.push_str(&forget_template(digest));
        }
    }
    texts.push_str(
        "INSERT INTO green_light.restarts \
         SELECT 0 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM green_light.restarts); \
         UPDATE green_light.restarts SET number = number + 1; COMMIT; \
         INSERT INTO green_light.emptied_by_restart VALUES (1)",
    );
    admin.run(texts).await?;
    Ok(known(admin).await?.unwrap_or_default())
}

/// Whether the database `name` has other tables than those of InnoDB.
pub(crate) async fn may_lose(admin: &mut AdminConnection, name: &str) -> Result<bool, sqlx::Error> {
    let others = format!(
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = '{name}' \
         AND table_type <> 'VIEW' AND coalesce(engine, '') <> 'InnoDB'"
    );
    Ok(number(admin, others).await? > 0)
}
