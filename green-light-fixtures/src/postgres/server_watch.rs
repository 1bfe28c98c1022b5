//! Watches what belongs to a PostgreSQL server and to none of its databases, and knows what of it schemas have made.
//!
//! What is known to belong there is, on a server of ours, in the registry: processes that run at the same time agree on
//! it, and what a killed test has left is found by the next process. On another server it is what this process found
//! when it began; what others change there meanwhile is named once, and belongs there from then on.
//!
//! A short text, the *mark*, differs when anything does, and is all that is asked at the end of most tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sqlx::AssertSqlSafe;

use crate::postgres::admin::{AdminConnection, literal, quoted};
use crate::postgres::roles;
use crate::postgres::server::PostgresServer;
use crate::postgres::server_undo;
use crate::server::process_home::{Liveness, liveness};
use crate::server::server_wide::{RunningTest, RunningTests, ServerWide, Settled};

const STATE: &str = include_str!("server_state.sql");
const MARK: &str = include_str!("server_mark.sql");

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS green_light.server_mark (mark text NOT NULL);
CREATE TABLE IF NOT EXISTS green_light.server_state (
  place text, key text, label text NOT NULL, content text NOT NULL, PRIMARY KEY (place, key)
);
CREATE TABLE IF NOT EXISTS green_light.server_change (
  place text, key text, processes bigint[] NOT NULL, PRIMARY KEY (place, key)
);
";

/// The table of the catalog, and the row in it.
pub(crate) type Key = (String, String);

/// What there is, with its name in words and its row as JSON.
pub(crate) type State = BTreeMap<Key, (String, String)>;

/// What differs from what is known to belong to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) key: Key,
    pub(crate) label: String,
    /// The row before, if there was one.
    pub(crate) before: Option<String>,
    /// The row now, if there is one.
    pub(crate) now: Option<String>,
}

impl Change {
    /// What was done, in words.
    pub(crate) fn in_words(&self) -> String {
        let what = match (&self.before, &self.now) {
            (None, _) => "new",
            (_, None) => "gone",
            _ => "changed",
        };
        format!("{what}: {}", self.label)
    }
}

/// What this process knows of its server as a whole.
#[derive(Debug, Default)]
pub(crate) struct ServerWatch {
    is_ours: bool,
    is_superuser: bool,
    running: RunningTests,
    known: tokio::sync::Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The mark when all was as it is known to be, and all that there was then. Only of a server that is not ours.
    before: Option<(String, State)>,
    /// Changes that were found and are not settled.
    pending: BTreeMap<Key, Pending>,
    /// Schemas that are being applied, by the names of their databases.
    drafts: BTreeMap<String, Draft>,
}

#[derive(Debug)]
struct Pending {
    change: Change,
    /// The tests of this process that may have done it.
    tests: BTreeMap<u64, Arc<str>>,
    is_told: bool,
}

#[derive(Debug)]
struct Draft {
    /// What had changed before.
    before: Vec<Change>,
    _running: RunningTest,
}

impl ServerWatch {
    pub(crate) fn new(is_ours: bool, is_superuser: bool) -> Self {
        Self {
            is_ours: is_ours && is_superuser,
            is_superuser,
            ..Self::default()
        }
    }

    /// Only a superuser sees all of it.
    fn state(&self) -> String {
        if self.is_superuser {
            return STATE.to_owned();
        }
        let (state, _) = STATE.rsplit_once("UNION ALL").unwrap_or((STATE, ""));
        state.replace("pg_catalog.pg_authid a", "pg_catalog.pg_roles a")
    }

    fn mark(&self) -> String {
        if self.is_superuser {
            return MARK.to_owned();
        }
        let state = self.state();
        format!(
            "SELECT pg_catalog.md5(pg_catalog.string_agg(s::text, ' ' ORDER BY place, key)) FROM ({state}) s"
        )
    }

    /// What there is, and the mark just before.
    async fn look(&self, admin: &mut AdminConnection) -> Result<(String, State), sqlx::Error> {
        let mark = sqlx::query_scalar(AssertSqlSafe(self.mark()));
        let mark = admin.fetch_one(mark).await?;
        let state = sqlx::query_as(AssertSqlSafe(self.state()));
        Ok((mark, into_state(admin.fetch_all(state).await?)))
    }

    /// Whether all is known to be as it belongs. Asks as little as possible.
    async fn is_unchanged(
        &self,
        admin: &mut AdminConnection,
        known: &Known,
    ) -> Result<bool, sqlx::Error> {
        let before = match &known.before {
            Some((before, _)) => literal(before),
            None if self.is_ours => "(SELECT mark FROM green_light.server_mark LIMIT 1)".to_owned(),
            None => return Ok(false),
        };
        // Its text is the same each time, so that it is planned once.
        let query = format!("SELECT coalesce(({}) = {before}, false)", self.mark());
        let found = admin.fetch_one(sqlx::query_scalar(AssertSqlSafe(query)));
        match found.await {
            Err(sqlx::Error::Database(_)) if self.is_ours => {
                admin.run(TABLES.to_owned()).await?;
                Ok(false)
            }
            other => other,
        }
    }

    /// What has changed.
    async fn changes(
        &self,
        admin: &mut AdminConnection,
        known: &mut Known,
    ) -> Result<Vec<Change>, sqlx::Error> {
        if self.is_unchanged(admin, known).await? {
            return Ok(Vec::new());
        }
        let (mark, now) = self.look(admin).await?;
        if !self.is_ours {
            let Some((was, before)) = &mut known.before else {
                known.before = Some((mark, now));
                return Ok(Vec::new());
            };
            let changes = differences(before, &now);
            if changes.is_empty() {
                *was = mark;
            }
            return Ok(changes);
        }
        let before = "SELECT place, key, label, content FROM green_light.server_state";
        let before = into_state(admin.fetch_all(sqlx::query_as(before)).await?);
        // Nothing is known yet.
        let changes = match before.is_empty() {
            true => Vec::new(),
            false => differences(&before, &now),
        };
        if before.is_empty() {
            self.learn(admin, known, &differences(&before, &now))
                .await?;
        }
        if changes.is_empty() {
            let note = format!(
                "BEGIN; DELETE FROM green_light.server_mark; INSERT INTO green_light.server_mark VALUES ({}); COMMIT",
                literal(&mark)
            );
            admin.run(note).await?;
        }
        Ok(changes)
    }

    /// From here on, the changes belong to the server.
    async fn learn(
        &self,
        admin: &mut AdminConnection,
        known: &mut Known,
        changes: &[Change],
    ) -> Result<(), sqlx::Error> {
        for change in changes {
            known.pending.remove(&change.key);
        }
        if let Some((_, state)) = &mut known.before {
            for change in changes {
                match &change.now {
                    Some(now) => {
                        let row = (change.label.clone(), now.clone());
                        state.insert(change.key.clone(), row)
                    }
                    None => state.remove(&change.key),
                };
            }
        }
        if !self.is_ours || changes.is_empty() {
            return Ok(());
        }
        let column = |of: fn(&Change) -> &str| changes.iter().map(of).collect::<Vec<_>>();
        let learn = sqlx::query(
            "WITH changed AS (
              SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS c (place, key, label, content)),
            settled AS (DELETE FROM green_light.server_change s USING changed c
              WHERE s.place = c.place AND s.key = c.key),
            gone AS (DELETE FROM green_light.server_state s USING changed c
              WHERE s.place = c.place AND s.key = c.key AND c.content = '')
            INSERT INTO green_light.server_state SELECT * FROM changed WHERE content <> ''
            ON CONFLICT (place, key) DO UPDATE SET label = excluded.label, content = excluded.content",
        );
        let learn = learn
            .bind(column(|change| &change.key.0))
            .bind(column(|change| &change.key.1))
            .bind(column(|change| &change.label))
            .bind(column(|change| change.now.as_deref().unwrap_or("")));
        admin.execute(learn).await.map(drop)
    }

    /// A schema is going to be applied to the database `draft`.
    pub(crate) async fn begin_draft(
        &self,
        admin: &mut AdminConnection,
        draft: &str,
    ) -> Result<(), sqlx::Error> {
        let known = &mut *self.known.lock().await;
        let before = self.changes(admin, known).await?;
        let noted = Draft {
            before,
            _running: self.running.begin("a schema that was being applied"),
        };
        known.drafts.insert(draft.to_owned(), noted);
        Ok(())
    }

    /// The schema was not applied.
    pub(crate) async fn forget_draft(&self, draft: &str) {
        self.known.lock().await.drafts.remove(draft);
    }

    /// The schema was applied: what has changed meanwhile belongs to the server, and roles that are new were made by a
    /// schema.
    pub(crate) async fn end_draft(
        &self,
        admin: &mut AdminConnection,
        draft: &str,
    ) -> Result<(), sqlx::Error> {
        let known = &mut *self.known.lock().await;
        let Some(Draft { before, .. }) = known.drafts.remove(draft) else {
            return Ok(());
        };
        let mut changes = self.changes(admin, known).await?;
        changes.retain(|change| !before.contains(change));
        for change in &changes {
            if change.key.0 == "pg_authid" && change.before.is_none() {
                let mark = roles::mark(&format!("{}::oid", change.key.1), "current_database()");
                // Who may not mark a role is told what to do when it is in the way.
                let note = format!(
                    "DO $$ BEGIN {mark}; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$"
                );
                admin.run(note).await?;
            }
        }
        self.learn(admin, known, &changes).await
    }

    /// Runs `statement`, by which green-light itself changes the server.
    pub(crate) async fn learn_from(
        &self,
        admin: &mut AdminConnection,
        statement: String,
    ) -> Result<(), sqlx::Error> {
        let known = &mut *self.known.lock().await;
        let before = self.changes(admin, known).await?;
        admin.run(statement).await?;
        let mut changes = self.changes(admin, known).await?;
        changes.retain(|change| !before.contains(change));
        self.learn(admin, known, &changes).await
    }
}

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
        known
            .pending
            .retain(|_, pending| changes.contains(&pending.change));
        let mut running = watch.running.all();
        for change in changes {
            let tests = running.clone();
            known.pending.entry(change.key.clone()).or_insert(Pending {
                change,
                tests,
                is_told: false,
            });
        }
        if let Some(ended) = ended {
            running.remove(&ended.number);
        }
        let is_due =
            |pending: &Pending| !pending.tests.keys().any(|test| running.contains_key(test));
        let due = known.pending.values_mut().filter(|pending| is_due(pending));
        let due: Vec<_> = due.collect();
        if due.is_empty() {
            return Ok(Settled::default());
        }
        let (mut told, mut others) = (Vec::new(), BTreeSet::new());
        for pending in &due {
            if !pending.is_told {
                told.push(pending.change.clone());
                let own = ended.map(|ended| ended.number);
                let names = pending.tests.iter();
                others.extend(
                    names
                        .filter(|(n, _)| Some(**n) != own)
                        .map(|(_, name)| format!("`{name}`")),
                );
            }
        }
        let mut changes: Vec<_> = due
            .into_iter()
            .map(|pending| {
                pending.is_told = true;
                pending.change.clone()
            })
            .collect();
        if !watch.is_ours {
            watch.learn(admin, known, &changes).await?;
            return Ok(Settled {
                changes: told.iter().map(Change::in_words).collect(),
                fate: "nothing was undone, since green-light did not start it",
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
        known
            .pending
            .retain(|_, pending| left.contains(&pending.change));
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
            changes: told.iter().map(in_words).collect(),
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

fn into_state(rows: Vec<(String, String, String, String)>) -> State {
    rows.into_iter()
        .map(|(place, key, label, content)| ((place, key), (label, content)))
        .collect()
}

fn differences(before: &State, now: &State) -> Vec<Change> {
    let keys: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let changes = keys.into_iter().filter_map(|key| {
        let (was, is) = (before.get(key), now.get(key));
        let (label, _) = is.or(was)?;
        let change = Change {
            key: key.clone(),
            label: label.clone(),
            before: was.map(|(_, content)| content.clone()),
            now: is.map(|(_, content)| content.clone()),
        };
        (change.before != change.now).then_some(change)
    });
    changes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_gone_and_changed_is_said() {
        let row = |name: &str, content: &str| {
            let key = ("pg_authid".to_owned(), name.to_owned());
            (key, (format!("the role `{name}`"), content.to_owned()))
        };
        let before = State::from([row("a", "1"), row("b", "1"), row("c", "1")]);
        let now = State::from([row("a", "1"), row("b", "2"), row("d", "1")]);
        let found: Vec<_> = differences(&before, &now)
            .iter()
            .map(Change::in_words)
            .collect();
        let expected = [
            "changed: the role `b`",
            "gone: the role `c`",
            "new: the role `d`",
        ];
        assert_eq!(found, expected);
        assert!(differences(&now, &now).is_empty());
    }

    #[test]
    fn the_role_in_the_way_is_read_from_the_error() {
        let error = "error returned from database: role \"a b\" already exists\n  help: drop it";
        assert_eq!(role_in_the_way(error), Some("a b"));
        let error = "role \"app\" cannot be dropped because some objects depend on it";
        assert_eq!(role_in_the_way(error), Some("app"));
        assert_eq!(role_in_the_way("relation \"a\" already exists"), None);
    }
}
