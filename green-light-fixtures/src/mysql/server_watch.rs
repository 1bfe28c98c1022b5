//! Watches what belongs to a MySQL server that a variable names, and to none of the databases of tests: accounts and
//! what they may do, global variables, other databases, plugins, events. On a server of ours the account of tests may
//! change none of it.
//!
//! What this process found when it began belongs to the server; so does what a schema makes, and what others change
//! there, once it was named. A user sees only what the server shows to that user.
//!
//! A short text, the *mark*, differs when anything does, and is all that is asked at the end of most tests.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Row as _, mysql::MySqlRow};

use crate::mysql::admin::{AdminConnection, names};
use crate::mysql::xa;
use crate::server::changes::{Change, PendingChanges, State, differences, learn};
use crate::server::running_tests::{NOT_UNDONE, RunningTest, RunningTests, Settled};

/// What is looked at in one table.
struct Place {
    table: &'static str,
    /// Which row it is, as SQL.
    key: &'static str,
    /// The row in words, as SQL.
    label: &'static str,
    /// Which rows belong to no database of green-light, as SQL.
    filter: &'static str,
    /// What a row is like, as SQL. Of a table of the database `mysql`, all its columns.
    content: Option<&'static str>,
}

/// All but databases of green-light, which the server sees by their names.
const OTHERS: &str = "db NOT LIKE 'gl\\_%'";
const ACCOUNT: &str = "if(host = '', concat('`', user, '`'), concat('`', user, '`@`', host, '`'))";

/// Each server has some of them. On MariaDB the table `user` is a view, which takes ten times as long.
const PLACES: [Place; 15] = [
    of_accounts("global_priv", "concat('the account ', {ACCOUNT})", "TRUE"),
    of_accounts("user", "concat('the account ', {ACCOUNT})", "TRUE"),
    Place {
        key: "concat_ws(' ', user, host, priv)",
        ..of_accounts("global_grants", PRIVILEGES, "TRUE")
    },
    Place {
        key: "concat_ws(' ', user, host, role)",
        ..of_accounts(
            "roles_mapping",
            "concat('the membership of ', {ACCOUNT}, ' in `', role, '`')",
            "TRUE",
        )
    },
    Place {
        key: "concat_ws(' ', to_user, to_host, from_user, from_host)",
        ..of_accounts(
            "role_edges",
            "concat('the membership of `', to_user, '`@`', to_host, '` in `', from_user, '`')",
            "TRUE",
        )
    },
    Place {
        key: "concat_ws(' ', user, host, db)",
        ..of_accounts(
            "db",
            "concat('privileges of ', {ACCOUNT}, ' on `', db, '`')",
            OTHERS,
        )
    },
    Place {
        key: "concat_ws(' ', user, host, db, table_name)",
        ..of_accounts(
            "tables_priv",
            "concat('privileges of ', {ACCOUNT}, ' on `', db, '`.`', table_name, '`')",
            OTHERS,
        )
    },
    Place {
        key: "concat_ws(' ', user, host, db, table_name, column_name)",
        ..of_accounts(
            "columns_priv",
            "concat('privileges of ', {ACCOUNT}, ' on `', db, '`.`', table_name, '`')",
            OTHERS,
        )
    },
    Place {
        key: "concat_ws(' ', user, host, db, routine_type, routine_name)",
        ..of_accounts(
            "procs_priv",
            "concat('privileges of ', {ACCOUNT}, ' on `', db, '`.`', routine_name, '`')",
            OTHERS,
        )
    },
    Place {
        key: "concat_ws(' ', user, host, proxied_user, proxied_host)",
        ..of_accounts("proxies_priv", PRIVILEGES, "TRUE")
    },
    Place {
        key: "server_name",
        ..of_accounts(
            "servers",
            "concat('the server `', server_name, '`')",
            "TRUE",
        )
    },
    Place {
        key: "name",
        ..of_accounts("func", "concat('the loaded function `', name, '`')", "TRUE")
    },
    Place {
        table: "information_schema.schemata",
        key: "schema_name",
        label: "concat('the database `', schema_name, '`')",
        filter: "schema_name NOT LIKE 'gl\\_%' AND schema_name <> 'green_light'",
        content: Some("concat_ws(' ', default_character_set_name, default_collation_name)"),
    },
    Place {
        table: "information_schema.plugins",
        key: "plugin_name",
        label: "concat('the plugin `', plugin_name, '`')",
        filter: "TRUE",
        content: Some("plugin_status"),
    },
    Place {
        table: "information_schema.events",
        key: "concat_ws(' ', event_schema, event_name)",
        label: "concat('the event `', event_schema, '`.`', event_name, '`')",
        filter: "event_schema NOT LIKE 'gl\\_%'",
        content: Some(
            "concat_ws('|', event_definition, status, execute_at, interval_value, interval_field)",
        ),
    },
];

const PRIVILEGES: &str = "concat('privileges of ', {ACCOUNT})";

const fn of_accounts(table: &'static str, label: &'static str, filter: &'static str) -> Place {
    Place {
        table,
        key: "concat_ws(' ', user, host)",
        label,
        filter,
        content: None,
    }
}

/// Columns that say when something was done and by whom.
const NO_CONTENT: [&str; 2] = ["timestamp", "grantor"];
/// How the names of global variables begin that change without a `SET GLOBAL`.
const VOLATILE: [&str; 4] = ["gtid_", "innodb_buffer_pool_load_", "pseudo_", "wsrep_"];

/// What this process knows of a server.
#[derive(Debug, Default)]
pub(crate) struct ServerWatch {
    pub(crate) running: RunningTests,
    known: tokio::sync::Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    questions: Option<Questions>,
    /// The mark when all was as it is known to be, and all that there was then.
    before: Option<(String, State)>,
    pending: PendingChanges,
    /// Schemas that are being applied, by the names of their databases.
    drafts: BTreeMap<String, Draft>,
}

#[derive(Debug)]
struct Draft {
    /// What had changed before.
    before: Vec<Change>,
    _running: RunningTest,
}

/// What the server answers to this user.
#[derive(Clone, Debug)]
struct Questions {
    mark: String,
    state: String,
}

impl Questions {
    /// What it answers, with the answer to the question for the mark.
    async fn of(admin: &mut AdminConnection) -> Result<(Self, Vec<String>), sqlx::Error> {
        let places = places(admin).await?;
        let variables = variables(admin).await?;
        let of_variables = mark_of(&variables);
        // Mostly it answers all.
        let questions = Self::about(&places, &of_variables);
        match names(admin, questions.mark.clone()).await {
            Err(sqlx::Error::Database(_)) => {}
            answers => return Ok((questions, answers?)),
        }
        let mut seen = Vec::new();
        for (state, mark) in places {
            if answers(admin, &state).await? {
                seen.push((state, mark));
            }
        }
        let of_variables = match answers(admin, &of_variables).await? {
            true => &of_variables,
            // One of them may be asked for in a list alone.
            false => LISTED_VARIABLES,
        };
        let questions = Self::about(&seen, of_variables);
        let answers = names(admin, questions.mark.clone()).await?;
        Ok((questions, answers))
    }

    fn about(places: &[(String, String)], of_variables: &str) -> Self {
        // Those who may see accounts by a table need no view of it.
        let has_table = places
            .iter()
            .any(|(state, _)| state.contains(" FROM mysql.global_priv "));
        let places = places
            .iter()
            .filter(|(state, _)| !(has_table && state.contains(" FROM mysql.user ")));
        let (states, mut marks): (Vec<_>, Vec<_>) = places
            .map(|(state, mark)| (state.as_str(), mark.as_str()))
            .unzip();
        marks.push(of_variables);
        Self {
            mark: marks.join(";\n"),
            state: states.join(";\n"),
        }
    }
}

/// Whether the server answers to this user.
async fn answers(admin: &mut AdminConnection, question: &str) -> Result<bool, sqlx::Error> {
    match admin.fetch_all(AssertSqlSafe(question.to_owned())).await {
        Err(sqlx::Error::Database(_)) => Ok(false),
        found => found.map(|_| true),
    }
}

/// For each place that the server has, the question what there is, and the one for its part of the mark.
async fn places(admin: &mut AdminConnection) -> Result<Vec<(String, String)>, sqlx::Error> {
    let columns = columns(admin).await?;
    let places = PLACES.iter().filter_map(|place| {
        let (table, content) = match (place.content, columns.get(place.table)) {
            (Some(content), _) => (place.table.to_owned(), content.to_owned()),
            (None, Some(columns)) => (
                format!("mysql.{}", place.table),
                format!("concat_ws('|', {})", columns.join(", ")),
            ),
            (None, None) => return None,
        };
        let (key, label) = (place.key, place.label.replace("{ACCOUNT}", ACCOUNT));
        let from = format!("FROM {table} WHERE {}", place.filter);
        let state = format!(
            "SELECT '{table}', CAST({key} AS CHAR), CAST({label} AS CHAR), md5({content}) {from}"
        );
        // Of a sum of nothing, zero, and of another row with the same sum, the number of them.
        let mark = format!(
            "SELECT concat_ws(' ', count(*), sum(crc32(concat_ws('|', {key}, {content})))) {from}"
        );
        Some((state, mark))
    });
    Ok(places.collect())
}

/// The columns of tables of the database `mysql` that say what something is like.
async fn columns(
    admin: &mut AdminConnection,
) -> Result<BTreeMap<String, Vec<String>>, sqlx::Error> {
    let query = "SELECT lower(table_name), column_name FROM information_schema.columns \
                 WHERE table_schema = 'mysql' ORDER BY table_name, ordinal_position";
    let mut columns = BTreeMap::<String, Vec<String>>::new();
    for row in admin.fetch_all(query).await? {
        let (table, column): (String, String) =
            (row.try_get_unchecked(0)?, row.try_get_unchecked(1)?);
        if !NO_CONTENT.contains(&&*column.to_lowercase()) {
            columns
                .entry(table)
                .or_default()
                .push(format!("`{column}`"));
        }
    }
    Ok(columns)
}

/// What differs when a global variable does. To list them takes the server three times as long.
fn mark_of(variables: &[(String, String)]) -> String {
    let values: Vec<_> = variables
        .iter()
        .map(|(name, _)| format!("@@global.{name}"))
        .collect();
    format!("SELECT md5(concat_ws('|', {}))", values.join(", "))
}

/// The same by a list.
const LISTED_VARIABLES: &str = "SELECT sum(crc32(concat_ws('=', variable_name, variable_value))) \
    FROM performance_schema.global_variables WHERE variable_name NOT LIKE 'gtid\\_%'";

async fn variables(admin: &mut AdminConnection) -> Result<Vec<(String, String)>, sqlx::Error> {
    let mut found = Vec::new();
    for row in admin.fetch_all("SHOW GLOBAL VARIABLES").await? {
        let name: String = row.try_get_unchecked(0)?;
        let name = name.to_lowercase();
        if !VOLATILE.iter().any(|start| name.starts_with(start)) {
            let value: Option<String> = row.try_get_unchecked(1)?;
            found.push((name, value.unwrap_or_default()));
        }
    }
    Ok(found)
}

impl ServerWatch {
    async fn mark(admin: &mut AdminConnection, known: &mut Known) -> Result<String, sqlx::Error> {
        let mark = match &known.questions {
            Some(questions) => names(admin, questions.mark.clone()).await?,
            None => {
                let (questions, mark) = Questions::of(admin).await?;
                known.questions = Some(questions);
                mark
            }
        };
        Ok(mark.join("; ") + &xa::prepared(admin).await?.join(" "))
    }

    /// What there is.
    async fn state(admin: &mut AdminConnection, known: &Known) -> Result<State, sqlx::Error> {
        let mut state = State::new();
        let questions = known.questions.as_ref();
        let question = questions.map_or_else(String::new, |questions| questions.state.clone());
        for row in admin.fetch_all(AssertSqlSafe(question)).await? {
            let text = |at: usize| text(&row, at);
            state.insert((text(0)?, text(1)?), (text(2)?, text(3)?));
        }
        for (name, value) in variables(admin).await? {
            let label = format!("the global variable `{name}`");
            state.insert(("variable".to_owned(), name), (label, value));
        }
        for name in xa::prepared(admin).await? {
            let label = format!("the transaction {name}, which is prepared: `XA ROLLBACK` ends it");
            state.insert(("xa".to_owned(), name), (label, String::new()));
        }
        Ok(state)
    }

    /// What has changed.
    async fn changes(
        admin: &mut AdminConnection,
        known: &mut Known,
    ) -> Result<Vec<Change>, sqlx::Error> {
        let mark = Self::mark(admin, known).await?;
        if known.before.as_ref().is_some_and(|(was, _)| *was == mark) {
            return Ok(Vec::new());
        }
        let now = Self::state(admin, known).await?;
        let Some((was, before)) = &mut known.before else {
            known.before = Some((mark, now));
            return Ok(Vec::new());
        };
        let changes = differences(before, &now);
        if changes.is_empty() {
            *was = mark;
        }
        Ok(changes)
    }

    /// From here on, the changes belong to the server.
    fn learn(known: &mut Known, changes: &[Change]) {
        known.pending.forget(changes);
        if let Some((_, state)) = &mut known.before {
            learn(state, changes);
        }
    }

    /// Looks at what has changed, and names what no test that runs may have done. `ended` is the test that has ended.
    pub(crate) async fn settle(
        &self,
        admin: &mut AdminConnection,
        ended: Option<&RunningTest>,
    ) -> Result<Settled, sqlx::Error> {
        let known = &mut *self.known.lock().await;
        let changes = Self::changes(admin, known).await?;
        if changes.is_empty() && known.pending.is_empty() {
            return Ok(Settled::default());
        }
        let running = self.running.all();
        known.pending.note(changes, &running);
        let due = known.pending.due(running, ended.map(|ended| ended.number));
        Self::learn(known, &due.changes);
        Ok(Settled {
            changes: due.untold.iter().map(Change::in_words).collect(),
            fate: NOT_UNDONE,
            others: due.others.into_iter().collect(),
        })
    }

    /// A schema is going to be applied to the database `draft`.
    pub(crate) async fn begin_draft(
        &self,
        admin: &mut AdminConnection,
        draft: &str,
    ) -> Result<(), sqlx::Error> {
        let known = &mut *self.known.lock().await;
        let noted = Draft {
            before: Self::changes(admin, known).await?,
            _running: self.running.begin("a schema that was being applied"),
        };
        known.drafts.insert(draft.to_owned(), noted);
        Ok(())
    }

    /// The schema was not applied.
    pub(crate) async fn forget_draft(&self, draft: &str) {
        self.known.lock().await.drafts.remove(draft);
    }

    /// The schema was applied: what has changed meanwhile belongs to the server.
    pub(crate) async fn end_draft(
        &self,
        admin: &mut AdminConnection,
        draft: &str,
    ) -> Result<(), sqlx::Error> {
        let known = &mut *self.known.lock().await;
        let Some(Draft { before, .. }) = known.drafts.remove(draft) else {
            return Ok(());
        };
        let mut changes = Self::changes(admin, known).await?;
        changes.retain(|change| !before.contains(change));
        Self::learn(known, &changes);
        Ok(())
    }
}

/// A text that some tables have as bytes.
fn text(row: &MySqlRow, column: usize) -> Result<String, sqlx::Error> {
    let bytes: Option<Vec<u8>> = row.try_get_unchecked(column)?;
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}
