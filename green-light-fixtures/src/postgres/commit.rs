//! What ends with the application's transaction on PostgreSQL.
//!
//! Within a test the commit of the application releases a savepoint, and what PostgreSQL does at a commit does not
//! happen. So it is done when a use of the connection is over, which is when the outermost transaction of the
//! application has ended:
//!
//! * What is deferred runs. If it fails, that transaction is rolled back, and the test fails with the constraint.
//! * Settings that are not as before are put back, unless a text is known that set them to stay.
//! * Cursors without `HOLD` are closed, and temporary tables are dropped or emptied (see `on_commit.sql`).
//!
//! Of a text that green-light does not see it is not known whether it was `SET` or `SET LOCAL`. In a transaction it is
//! taken for the latter. Alone on its connection it is taken for the former, as `SET LOCAL` does nothing there.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use green_light_core::Mutex;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row as _, postgres::PgRow};

use crate::driver::monitor::{CurrentUse, SandboxMonitor};
use crate::postgres::admin::literal;
use crate::postgres::lost_rows::{Executions, Loss};
use crate::postgres::remarks;
use crate::server::guard_savepoint::GuardSavepoint;
use crate::sql::dialect::SettingsSet;

/// Between the values of settings.
const SEPARATOR: char = '\u{1f}';
/// A setting that the session does not know.
const UNKNOWN: &str = "\u{1e}";
/// Between what is known of temporary tables, or of a use whose statements are not known.
const WITHIN_NOTE: char = '\u{1d}';
/// After what is known of a use whose statements are not known.
const AFTER_NOTE: char = '\u{1c}';

/// What sqlx has prepared in this session, and whether it did so in the last so many seconds.
const PREPARED: &str = "SELECT statement, pg_catalog.clock_timestamp() - prepare_time < \
    pg_catalog.make_interval(secs => $secs$) FROM pg_catalog.pg_prepared_statements WHERE NOT from_sql";

/// What of the schema and of the session ends with a transaction.
#[derive(Debug)]
pub(crate) struct CommitEffects {
    /// Runs what is deferred, and defers it again, if the schema defers anything.
    check: Option<String>,
    /// The settings that are looked at in every session.
    names: Vec<String>,
    state: Mutex<Settings>,
    /// Whether `check` can run: not once a test has changed what it names, or has too few rights.
    checks: AtomicBool,
    /// How often `check` has put a row into the guard since that was asked.
    checked: AtomicUsize,
    /// Whether a function of the schema may open a cursor.
    opens_cursors: bool,
}

/// The settings of a session.
#[derive(Debug)]
struct Settings {
    /// The values of `names` in a new session.
    new: String,
    /// Those at the end of the last use.
    now: String,
    /// Settings that the test has named, with their values at the end of the last use if that is known.
    more: Vec<(String, Option<String>)>,
    /// Whether there is a temporary table that each commit empties.
    has_emptied: bool,
    /// What has been prepared in the session, and how often it was run.
    executions: Executions,
}

/// What the server says of a use of the connection.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Whether columns were changed, if the statements of the use are not known.
    pub(crate) has_altered: Option<bool>,
    /// How often each prepared statement has been run, if the statements of the use are not known.
    pub(crate) executions: Option<String>,
    /// What is known of temporary tables.
    note: String,
    /// The settings.
    values: String,
}

impl Answer {
    /// Reads the row that answers the question.
    pub(crate) fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        let text: String = row.try_get(0)?;
        let (unseen, settings) = match text.split_once(AFTER_NOTE) {
            Some((unseen, settings)) => (unseen.split_once(WITHIN_NOTE), settings),
            None => (None, text.as_str()),
        };
        let (note, values) = settings.split_once(SEPARATOR).unwrap_or((settings, ""));
        Ok(Self {
            has_altered: unseen.map(|(has_altered, _)| has_altered == "t"),
            executions: unseen.map(|(_, executions)| executions.to_owned()),
            note: note.to_owned(),
            values: values.to_owned(),
        })
    }

    /// The names of temporary tables of which it is not known what a commit does to them, and why what a commit does
    /// could not be done.
    fn remarks(&self) -> impl Iterator<Item = String> {
        let mut parts = self.note.split(WITHIN_NOTE).skip(1);
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let unknown = next().map(remarks::unknown_tables);
        let failed = next().map(remarks::not_as_a_commit);
        unknown.into_iter().chain(failed)
    }
}

impl CommitEffects {
    /// `immediate` are the names of what can be deferred, but is not unless somebody says so.
    pub(crate) fn new(
        defers: bool,
        immediate: &[String],
        names: Vec<String>,
        values: String,
        token: i64,
    ) -> Self {
        let values = match values.split_once(SEPARATOR) {
            Some((_, values)) => values.to_owned(),
            None => values,
        };
        let check = defers.then(|| {
            let immediate = match immediate {
                [] => String::new(),
                names => format!("SET CONSTRAINTS {} IMMEDIATE; ", names.join(", ")),
            };
            format!(
                "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; {immediate}\
                 SELECT green_light.guard_again({token})"
            )
        });
        Self {
            check,
            names,
            state: Mutex::new(Settings {
                now: values.clone(),
                new: values,
                more: Vec::new(),
                has_emptied: false,
                executions: Executions::default(),
            }),
            checks: AtomicBool::new(true),
            checked: AtomicUsize::new(0),
            opens_cursors: false,
        }
    }

    /// Whether a function of the schema may open a cursor.
    pub(crate) fn opening_cursors(mut self, opens_cursors: bool) -> Self {
        self.opens_cursors = opens_cursors;
        self
    }

    /// The outer transaction of a test begins: the session is as when new.
    pub(crate) fn reset(&self, connection: &PgConnection) {
        let mut state = self.state.lock();
        state.now = state.new.clone();
        state.more.clear();
        state.has_emptied = false;
        state.executions.forget(connection);
        self.checks.store(true, Ordering::Relaxed);
    }

    /// Whether a setting of the session is or was another one than when it was new.
    pub(crate) fn has_set(&self) -> bool {
        let state = self.state.lock();
        state.now != state.new || !state.more.is_empty()
    }

    /// What runs what is deferred, if the schema defers anything.
    pub(crate) fn check(&self) -> Option<&str> {
        let check = self.check.as_deref();
        check.filter(|_| self.checks.load(Ordering::Relaxed))
    }

    /// `check` is about to run, which puts a row into the guard.
    pub(crate) fn note_check(&self) {
        self.checked.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it has since this was asked.
    pub(crate) fn take_checked(&self) -> usize {
        self.checked.swap(0, Ordering::Relaxed)
    }

    /// `check` cannot run in this test. What is deferred runs at its end.
    pub(crate) fn check_no_more(&self) {
        self.checks.store(false, Ordering::Relaxed);
    }

    /// The question for all settings that may have changed in `this_use`. Its answer is one row of one text. `is_known`
    /// says whether it is known what the use has defined.
    pub(crate) fn question(&self, this_use: &CurrentUse, is_known: bool) -> Option<String> {
        let mut state = self.state.lock();
        if this_use.is_one_statement && !self.opens_cursors && !state.has_emptied {
            return None;
        }
        for name in &this_use.settings.named {
            let is_known = self
                .names
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
                || state.more.iter().any(|(known, _)| known == name);
            if !is_known {
                state.more.push((name.clone(), None));
            }
        }
        let call = if is_known { "settings" } else { "after_unseen" };
        let mut question = format!("SELECT green_light.{call}()");
        for (name, _) in &state.more {
            question.push_str(&format!(
                " || '{SEPARATOR}' || coalesce(pg_catalog.current_setting({}, true), '{UNKNOWN}')",
                literal(name)
            ));
        }
        Some(question)
    }

    /// Puts back what has changed since the last use and does not stay. `answer` is that to the question.
    pub(crate) async fn put_back(
        &self,
        connection: &mut PgConnection,
        answer: &Answer,
        this_use: CurrentUse,
        monitor: &SandboxMonitor,
    ) -> Result<(), sqlx::Error> {
        self.state.lock().has_emptied = answer.note.starts_with('e');
        for remark in answer.remarks() {
            monitor.remark(remark);
        }
        if self.is_as_before(&answer.values) {
            return Ok(());
        }
        let mut settings = this_use.settings;
        if !this_use.is_seen && !sees_all(connection, &mut settings, monitor).await? {
            settings.lasting.push("*".to_owned());
        }
        let back = self.changes(&answer.values, &settings);
        if !back.is_empty() {
            let text = format!("SELECT {}", back.join(", "));
            connection.execute(AssertSqlSafe(text)).await?;
        }
        Ok(())
    }

    /// A use of the connection is over. What is prepared now was prepared before the next one.
    pub(crate) fn note_use(&self, connection: &PgConnection, executions: Option<&str>) {
        let mut state = self.state.lock();
        state.executions.note(connection, executions);
    }

    /// What an error in the use of the connection that has just ended has taken along.
    pub(crate) async fn loss(
        &self,
        connection: &mut PgConnection,
        monitor: &SandboxMonitor,
        guard_savepoint: &GuardSavepoint,
    ) -> Result<Option<Loss>, sqlx::Error> {
        let mut executions = self.state.lock().executions.clone();
        let rules = monitor.dialect.lexer();
        let loss = executions.loss(connection, rules, guard_savepoint).await?;
        self.state.lock().executions = executions;
        Ok(loss)
    }

    fn is_as_before(&self, answer: &str) -> bool {
        let state = self.state.lock();
        state.more.is_empty() && answer == state.now
    }

    /// The calls that put back what does not stay. Notes all values as they will be.
    fn changes(&self, answer: &str, settings: &SettingsSet) -> Vec<String> {
        let mut state = self.state.lock();
        let Settings { now, more, .. } = &mut *state;
        let mut values: Vec<String> = now.split(SEPARATOR).map(str::to_owned).collect();
        let mut back = Vec::new();
        let found: Vec<&str> = answer.split(SEPARATOR).collect();
        let (fixed, named) = found.split_at(values.len().min(found.len()));
        for ((name, before), found) in self.names.iter().zip(&mut values).zip(fixed) {
            if before == found {
            } else if settings.lasts(name) {
                (*found).clone_into(before);
            } else {
                // What was not known before is the empty text after a commit as well.
                let value = if before == UNKNOWN {
                    ""
                } else {
                    before.as_str()
                };
                back.push(call(name, &literal(value)));
                if before == UNKNOWN {
                    before.clear();
                }
            }
        }
        for ((name, before), found) in more.iter_mut().zip(named) {
            let is_set = settings.named.contains(name);
            if settings.lasts(name) {
                *before = Some((*found).to_owned());
            } else if let Some(before) = before {
                if before != found {
                    back.push(call(name, &literal(before)));
                }
            } else if is_set {
                // That of a session in which nobody has set it; of one that the server does not know, the empty text.
                let known = format!(
                    "coalesce((SELECT reset_val FROM pg_catalog.pg_settings WHERE pg_catalog.lower(name) = {}), '')",
                    literal(name)
                );
                back.push(call(name, &known));
            }
        }
        *now = values.join(&SEPARATOR.to_string());
        back
    }
}

fn call(name: &str, value: &str) -> String {
    format!("pg_catalog.set_config({}, {value}, false)", literal(name))
}

/// Whether what is known of a use without reports tells which settings stay: from what sqlx has prepared.
async fn sees_all(
    connection: &mut PgConnection,
    settings: &mut SettingsSet,
    monitor: &SandboxMonitor,
) -> Result<bool, sqlx::Error> {
    let held = monitor.held_since().elapsed().as_secs_f64();
    let text = PREPARED.replace("$secs$", &held.to_string());
    let rows = connection.fetch_all(AssertSqlSafe(text)).await?;
    let mut is_more_than_a_text = false;
    for row in rows {
        let (statement, is_new): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
        let set = monitor.dialect.settings_set(&statement);
        is_more_than_a_text |= is_new || set.any;
        settings.add(set);
    }
    Ok(is_more_than_a_text)
}
