//! Watches what belongs to a PostgreSQL server and to none of its databases, and knows what of it schemas have made.
//!
//! What is known to belong there is, on a server of ours, in the registry: processes that run at the same time agree on
//! it, and what a killed test has left is found by the next process. On another server it is what this process found
//! when it began; what others change there meanwhile is named once, and belongs there from then on.
//!
//! A short text, the *mark*, differs when anything does, and is all that is asked at the end of most tests.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use crate::postgres::admin::{AdminConnection, literal};
use crate::postgres::roles;
use crate::server::changes::{self, Change, PendingChanges, State, differences};
use crate::server::running_tests::{RunningTest, RunningTests};

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

/// What this process knows of its server as a whole.
#[derive(Debug, Default)]
pub(crate) struct ServerWatch {
    pub(crate) is_ours: bool,
    is_superuser: bool,
    pub(crate) running: RunningTests,
    pub(crate) known: tokio::sync::Mutex<Known>,
}

/// What is known of changes.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The mark when all was as it is known to be, and all that there was then. Only of a server that is not ours.
    before: Option<(String, State)>,
    /// Changes that were found and are not settled.
    pub(crate) pending: PendingChanges,
    /// Schemas that are being applied, by the names of their databases.
    drafts: BTreeMap<String, Draft>,
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
    pub(crate) async fn is_unchanged(
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
    pub(crate) async fn changes(
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
    pub(crate) async fn learn(
        &self,
        admin: &mut AdminConnection,
        known: &mut Known,
        changes: &[Change],
    ) -> Result<(), sqlx::Error> {
        known.pending.forget(changes);
        if let Some((_, state)) = &mut known.before {
            changes::learn(state, changes);
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
                // If this user may not mark a role, the error says what to do when the role is in the way.
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

fn into_state(rows: Vec<(String, String, String, String)>) -> State {
    rows.into_iter()
        .map(|(place, key, label, content)| ((place, key), (label, content)))
        .collect()
}
