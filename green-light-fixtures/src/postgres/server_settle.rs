//! Settles what has changed in a PostgreSQL server: with the tests and the processes that may have done it.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::AssertSqlSafe;

use crate::postgres::admin::{AdminConnection, quoted};
use crate::postgres::roles;
use crate::postgres::server::PostgresServer;
use crate::postgres::server_undo;
use crate::server::changes::{Change, Due, Key};
use crate::server::driver::ServerWide;
use crate::server::process_home::{Liveness, liveness};
use crate::server::running_tests::{NOT_UNDONE, RunningTest, RunningTests, Settled};

impl ServerWide for PostgresServer {
    fn running(&self) -> Option<&RunningTests> {
        Some(&self.watch.running)
    }

    async fn settle(
        &self,
        admin: &mut AdminConnection,
        ended: Option<&RunningTest>,
    ) -> Result<Settled, sqlx::Error> {
        let watch = &self.watch;
        let known = &mut *watch.known.lock().await;
        if known.pending.is_empty() && watch.is_unchanged(admin, known).await? {
            return Ok(Settled::default());
        }
        let changes = watch.changes(admin, known).await?;
        let running = watch.running.all();
        known.pending.note(changes, &running);
        let due = known.pending.due(running, ended.map(|ended| ended.number));
        let Due {
            mut changes,
            untold,
            mut others,
        } = due;
        if changes.is_empty() {
            return Ok(Settled::default());
        }
        if !watch.is_ours {
            watch.learn(admin, known, &changes).await?;
            return Ok(Settled {
                changes: untold.iter().map(Change::in_words).collect(),
                fate: NOT_UNDONE,
                others: others.into_iter().collect(),
            });
        }
        let (free, has_others) = self.settle_with_others(admin, &changes).await?;
        changes.retain(|change| free.contains(&change.key));
        let failed = match changes.is_empty() {
            true => BTreeMap::new(),
            false => server_undo::undo(self, admin, &changes).await?,
        };
        let left = watch.changes(admin, known).await?;
        known.pending.keep_only(&left);
        if has_others {
            others.insert("tests of other processes".to_owned());
        }
        let fate = match has_others {
            true if changes.is_empty() => "it is undone when the other processes have ended",
            _ => "it was undone",
        };
        let in_words = |change: &Change| match failed.get(&change.key) {
            Some(why) => format!("{} (not undone: {why})", change.in_words()),
            None => change.in_words(),
        };
        Ok(Settled {
            changes: untold.iter().map(in_words).collect(),
            fate,
            others: others.into_iter().collect(),
        })
    }
}

impl PostgresServer {
    /// This process has nothing to do with the changes any more. Returns those of which that is so for all processes
    /// that live, and whether there are others.
    async fn settle_with_others(
        &self,
        admin: &mut AdminConnection,
        changes: &[Change],
    ) -> Result<(BTreeSet<Key>, bool), sqlx::Error> {
        let alive = self.others(admin).await?;
        let settle = "WITH changed AS (SELECT * FROM unnest($1::text[], $2::text[]) AS c (place, key))
            INSERT INTO green_light.server_change SELECT place, key, $4 FROM changed
            ON CONFLICT (place, key) DO UPDATE SET processes = array_remove(server_change.processes, $3)
            RETURNING place, key, processes && $4";
        let column = |of: fn(&Change) -> &str| changes.iter().map(of).collect::<Vec<_>>();
        let settle = sqlx::query_as(settle)
            .bind(column(|change| &change.key.0))
            .bind(column(|change| &change.key.1))
            .bind(self.key)
            .bind(alive);
        let settled: Vec<(String, String, bool)> = admin.fetch_all(settle).await?;
        let has_others = settled.iter().any(|(_, _, is_held)| *is_held);
        let free: BTreeSet<_> = settled
            .into_iter()
            .filter(|(_, _, is_held)| !is_held)
            .map(|(place, key, _)| (place, key))
            .collect();
        let places: Vec<_> = free.iter().map(|(place, _)| place.as_str()).collect();
        let keys: Vec<_> = free.iter().map(|(_, key)| key.as_str()).collect();
        let forget = sqlx::query(
            "DELETE FROM green_light.server_change s USING unnest($1::text[], $2::text[]) AS c (place, key) \
             WHERE s.place = c.place AND s.key = c.key",
        );
        admin.execute(forget.bind(places).bind(keys)).await?;
        Ok((free, has_others))
    }

    /// The other processes that live. The server may not have noticed yet that one was killed.
    async fn others(&self, admin: &mut AdminConnection) -> Result<Vec<i64>, sqlx::Error> {
        let others = sqlx::query_as(
            "SELECT key, home FROM green_light.process WHERE key <> $1 AND key IN (
              SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
              WHERE locktype = 'advisory' AND objsubid = 1 AND granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
        );
        let others: Vec<(i64, String)> = admin.fetch_all(others.bind(self.key)).await?;
        let alive = others
            .into_iter()
            .filter(|(_, home)| liveness(home) != Liveness::Ended);
        Ok(alive.map(|(key, _)| key).collect())
    }

    /// Drops the role that a schema could not make because it is there, if another schema has made it and nothing that
    /// is in use depends on it. Whether it did.
    pub(crate) async fn drop_role_in_the_way(
        &self,
        admin: &mut AdminConnection,
        error: &str,
    ) -> Result<bool, sqlx::Error> {
        let Some(name) = role_in_the_way(error) else {
            return Ok(false);
        };
        let made = format!(
            "SELECT oid::bigint FROM pg_roles r WHERE rolname = $1 AND {}",
            roles::is_marked("r.oid")
        );
        let made = sqlx::query_scalar(AssertSqlSafe(made)).bind(name);
        let Some(role) = admin.fetch_optional(made).await? else {
            return Ok(false);
        };
        if !self.drop_dependents(admin, role).await? {
            return Ok(false);
        }
        let drop = format!("DROP ROLE {}", quoted(name));
        self.watch.learn_from(admin, drop).await?;
        Ok(true)
    }
}

/// The role that an error says to be there already, or to be needed.
fn role_in_the_way(error: &str) -> Option<&str> {
    let (_, rest) = error.split_once("role \"")?;
    let ends = ["\" already exists", "\" cannot be dropped because"];
    let (name, _) = ends.iter().find_map(|end| rest.split_once(end))?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_in_the_way_is_read_from_the_error() {
        let error = "error returned from database: role \"a b\" already exists\n  help: drop it";
        assert_eq!(role_in_the_way(error), Some("a b"));
        let error = "role \"app\" cannot be dropped because some objects depend on it";
        assert_eq!(role_in_the_way(error), Some("app"));
        assert_eq!(role_in_the_way("relation \"a\" already exists"), None);
    }
}
