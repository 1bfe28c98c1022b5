//! What an error on a connection of sqlx has taken along.
//!
//! Within a test each use of the connection is under one savepoint. If a use has several statements outside of
//! transactions, as on a connection that is acquired and kept, an error in the last of them rolls back the others, which
//! production keeps. What was rolled back cannot be asked for any more; what was prepared, and how often it was run, can.
//!
//! None of it fails a test, since it cannot be known whether the application itself has rolled back a transaction within
//! another one, or to a savepoint, before the error. What is likely is said: an `INSERT .. VALUES` that cannot be the
//! statement that has failed. What may have been lost is said if the test fails.
//!
//! Texts that were sent unprepared leave one trace: PostgreSQL counts the commands of a transaction that may write, goes on
//! counting after a rollback to a savepoint, and stores the number with each row.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Connection as _, Executor, PgConnection, Row as _};

use crate::server::guard_savepoint::GuardSavepoint;
use crate::sql::classify::{is, words};
use crate::sql::lexer::{Kind, LexerRules, tokens};
use crate::sql::shorten::shorten;

/// What is prepared, in the order in which it was. How often it was run is not known before PostgreSQL 14.
const PREPARED: &str = "SELECT name, statement, p.n FROM (SELECT name, statement, prepare_time, \
    (pg_catalog.to_jsonb(p) ->> 'generic_plans')::bigint + (pg_catalog.to_jsonb(p) ->> 'custom_plans')::bigint AS n \
    FROM pg_catalog.pg_prepared_statements p WHERE NOT from_sql) p \
    ORDER BY prepare_time, pg_catalog.length(name), name";

/// Whether the transaction has written any row, which a rollback to a savepoint does not hide.
const WRITTEN: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_xact_all_tables \
    WHERE schemaname <> 'green_light' AND n_tup_ins + n_tup_upd + n_tup_del > 0), \
    EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgtype & 66 <> 0 AND tgtype & 4 <> 0 \
      AND tgrelid >= 16384) \
    OR EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE ev_type = '3' AND oid >= 16384)";
/// The commands that green-light itself has run when a test begins: it inserts a row into its guard.
const OF_GUARD: i64 = 1;

/// What has been prepared in a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Executions {
    /// The number of the next command that may write, if no use has been over since that was asked.
    commands: Option<i64>,
    /// How many statements sqlx had prepared when the last use was over.
    count: usize,
    /// How often each had been run, if nothing has run since that was asked.
    times: Option<HashMap<String, i64>>,
}

/// A statement that was run in a use of the connection.
#[derive(Debug)]
struct Run {
    statement: String,
    times: i64,
    is_new: bool,
}

/// What an error has taken along.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// This statement wrote rows, which are gone, unless the application itself has rolled them back.
    Likely(String),
    /// This statement may have.
    Possible(String),
    /// Texts did, at least one of which did not fail.
    LikelyTexts,
    /// Texts may have.
    PossibleTexts,
}

/// What was run in a use of the connection that has failed, as far as it was prepared.
#[derive(Debug, Default, PartialEq, Eq)]
struct Prepared {
    loss: Option<Loss>,
    /// How many of the commands that were run may write.
    writes: i64,
    /// Whether anything was run or prepared.
    any: bool,
}

impl Executions {
    /// A test begins.
    pub(crate) fn forget(&mut self, connection: &PgConnection) {
        self.note(connection, None);
        self.commands = Some(OF_GUARD);
    }

    /// A use of the connection is over.
    pub(crate) fn note(&mut self, connection: &PgConnection, executions: Option<&str>) {
        self.count = connection.cached_statements_size();
        self.commands = None;
        let read = |text: &str| -> HashMap<String, i64> {
            let entries = text.split(' ').filter_map(|entry| entry.rsplit_once('='));
            entries
                .filter_map(|(name, times)| Some((name.to_owned(), times.parse().ok()?)))
                .collect()
        };
        self.times = executions.map(read);
    }

    /// What an error in the use that has just ended has taken along. `self` is from before it, and is brought up to date.
    pub(crate) async fn loss(
        &mut self,
        connection: &mut PgConnection,
        rules: &'static LexerRules,
        guard_savepoint: &GuardSavepoint,
    ) -> Result<Option<Loss>, sqlx::Error> {
        let prepared = self.prepared(connection, rules).await?;
        let before = self.commands.take();
        let row = connection.fetch_all(WRITTEN).await?;
        let Some(row) = row.first() else {
            return Ok(None);
        };
        let (has_written, may_swallow): (bool, bool) = (row.try_get(0)?, row.try_get(1)?);
        if !has_written {
            return Ok(None);
        }
        let now = commands(connection, guard_savepoint).await?;
        let texts = prepared.texts(before.zip(now).map(|(before, now)| now - before));
        self.commands = now.map(|now| now + 1);
        Ok(match prepared.loss {
            // A trigger or a rule may have kept the row out.
            Some(Loss::Likely(statement)) if may_swallow => Some(Loss::Possible(statement)),
            Some(Loss::Possible(_)) if texts == Some(Loss::LikelyTexts) => texts,
            Some(loss) => Some(loss),
            None => texts,
        })
    }

    async fn prepared(
        &mut self,
        connection: &mut PgConnection,
        rules: &'static LexerRules,
    ) -> Result<Prepared, sqlx::Error> {
        let new = connection
            .cached_statements_size()
            .saturating_sub(self.count);
        let rows = connection.fetch_all(AssertSqlSafe(PREPARED)).await?;
        let first_new = rows.len().saturating_sub(new);
        let (mut all, mut latest) = (Vec::new(), HashMap::new());
        for (place, row) in rows.iter().enumerate() {
            let (name, now): (String, Option<i64>) = (row.try_get(0)?, row.try_get(2)?);
            let is_new = place >= first_new;
            latest.extend(now.map(|now| (name.clone(), now)));
            let before = match (is_new, &self.times) {
                (true, _) => Some(0),
                (false, Some(times)) => times.get(&name).copied(),
                (false, None) => None,
            };
            let times = match (now, before) {
                (Some(now), Some(before)) => now - before,
                // It was prepared to be run.
                (None, Some(0)) if is_new => 1,
                _ => 0,
            };
            // One that is new and was not run is the one that has failed.
            if times > 0 || is_new {
                all.push(Run {
                    statement: row.try_get(1)?,
                    times,
                    is_new,
                });
            }
        }
        self.count = connection.cached_statements_size();
        self.times = Some(latest);
        let writing = all
            .iter()
            .filter(|run| Writes::of(&run.statement, rules) != Writes::Nothing);
        Ok(Prepared {
            loss: lost(&all, rules),
            // One that was not run has failed while it was parsed, or has failed later and counts as a command.
            writes: writing.map(|run| run.times.max(1)).sum(),
            any: !all.is_empty(),
        })
    }
}

impl Prepared {
    /// What was lost of texts, if `commands` so many commands of the use may have written.
    fn texts(&self, commands: Option<i64>) -> Option<Loss> {
        match commands {
            // One of them may be the one that has failed.
            Some(commands) if commands > self.writes + 1 => Some(Loss::LikelyTexts),
            Some(commands) if commands > self.writes && !self.any => Some(Loss::PossibleTexts),
            None if !self.any => Some(Loss::PossibleTexts),
            _ => None,
        }
    }
}

/// The number of the next command that may write, unless the role may not ask for it.
async fn commands(
    connection: &mut PgConnection,
    guard_savepoint: &GuardSavepoint,
) -> Result<Option<i64>, sqlx::Error> {
    // Any table will do that has no trigger.
    let name = format!("{}_commands", guard_savepoint.name());
    let question = format!(
        "SAVEPOINT {name}; INSERT INTO green_light.sequence DEFAULT VALUES RETURNING cmin::text::bigint; \
         ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}"
    );
    match connection.fetch_all(AssertSqlSafe(question)).await {
        Ok(rows) => rows.first().map(|row| row.try_get(0)).transpose(),
        Err(sqlx::Error::Database(_)) => {
            let back = format!("ROLLBACK TO SAVEPOINT {}", guard_savepoint.name());
            connection.execute(AssertSqlSafe(back)).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What is lost of all that was run in a use, in the order in which it was prepared. One run has failed: the last one.
fn lost(all: &[Run], rules: &'static LexerRules) -> Option<Loss> {
    let last_new = all.iter().rposition(|run| run.is_new);
    let total: i64 = all.iter().map(|run| run.times).sum();
    let mut inserts = 0;
    let mut possible = None;
    for (place, run) in all.iter().enumerate() {
        // A statement is prepared when it is first run. What was prepared after it has not failed before.
        let has_run = run.times > 1 || run.is_new && last_new != Some(place);
        match Writes::of(&run.statement, rules) {
            _ if run.times == 0 => {}
            Writes::Rows => {
                inserts += run.times;
                if has_run || inserts > 1 {
                    return Some(Loss::Likely(shorten(&run.statement)));
                }
                if !run.is_new && total > 1 {
                    possible.get_or_insert(&run.statement);
                }
            }
            Writes::Maybe if has_run || !run.is_new && total > 1 => {
                possible.get_or_insert(&run.statement);
            }
            Writes::Maybe | Writes::Nothing => {}
        }
    }
    possible.map(|statement| Loss::Possible(shorten(statement)))
}

/// What a statement that has been run writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writes {
    /// A row at least.
    Rows,
    /// Rows, if it finds any.
    Maybe,
    Nothing,
}

impl Writes {
    fn of(statement: &str, rules: &'static LexerRules) -> Self {
        let mut named = words(statement);
        let first = named.next().unwrap_or_default();
        let any = |known: &[&str]| {
            tokens(statement, rules)
                .any(|(kind, text)| kind == Kind::Word && known.iter().any(|known| is(text, known)))
        };
        if is(first, "insert") {
            // `INSERT .. SELECT` may find nothing, and `ON CONFLICT` may do nothing.
            let is_plain = any(&["values"]) && !any(&["select", "conflict", "with"]);
            return if is_plain { Self::Rows } else { Self::Maybe };
        }
        let writes = ["update", "delete", "merge", "copy"]
            .iter()
            .any(|known| is(first, known));
        let may_write = is(first, "with") && any(&["insert", "update", "delete", "merge"]);
        match writes || may_write {
            true => Self::Maybe,
            false => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::dialect::PostgresDialect;
    use crate::sql::dialect::Dialect as _;

    const INSERT: &str = "INSERT INTO u (email) VALUES ($1)";
    const UPDATE: &str = "UPDATE u SET email = $1";
    const SELECT: &str = "SELECT * FROM u";

    /// `all` are statements, how often each was run, and whether each was prepared in this use.
    fn loss(all: &[(&str, i64, bool)]) -> Option<Loss> {
        let all: Vec<_> = all
            .iter()
            .map(|&(statement, times, is_new)| Run {
                statement: statement.to_owned(),
                times,
                is_new,
            })
            .collect();
        lost(&all, PostgresDialect.lexer())
    }

    #[test]
    fn only_what_cannot_have_failed_is_likely_to_be_lost() {
        let (likely, possible) = (
            |statement: &str| Some(Loss::Likely(statement.to_owned())),
            |statement: &str| Some(Loss::Possible(statement.to_owned())),
        );
        for (all, expected) in [
            (&[][..], None),
            (&[(INSERT, 1, true)], None),
            (&[(INSERT, 1, false)], None),
            (&[(SELECT, 7, true), (INSERT, 1, true)], None),
            (&[(UPDATE, 1, true)], None),
            (&[(INSERT, 2, false)], likely(INSERT)),
            (&[(INSERT, 1, true), (SELECT, 1, true)], likely(INSERT)),
            (&[(INSERT, 1, true), (SELECT, 0, true)], likely(INSERT)),
            (&[(SELECT, 1, true), (INSERT, 0, true)], None),
            (&[(INSERT, 1, false), (SELECT, 1, true)], possible(INSERT)),
            (&[(UPDATE, 2, false)], possible(UPDATE)),
            (&[(UPDATE, 1, true), (INSERT, 1, true)], possible(UPDATE)),
        ] {
            assert_eq!(loss(all), expected, "{all:?}");
        }
        let other = "INSERT INTO b VALUES (1)";
        let both = [(INSERT, 1, false), (other, 1, false)];
        assert_eq!(loss(&both), likely(other), "one of them has not failed");
    }

    #[test]
    fn texts_are_lost_that_prepared_statements_and_the_one_that_failed_do_not_account_for() {
        for (writes, any, commands, expected) in [
            (0, false, Some(0), None),
            (0, false, Some(1), Some(Loss::PossibleTexts)),
            (0, false, Some(2), Some(Loss::LikelyTexts)),
            (0, false, None, Some(Loss::PossibleTexts)),
            (0, true, None, None),
            (0, true, Some(1), None),
            (1, true, Some(1), None),
            (1, true, Some(2), None),
            (1, true, Some(3), Some(Loss::LikelyTexts)),
        ] {
            let prepared = Prepared {
                loss: None,
                writes,
                any,
            };
            let case = format!("{prepared:?} {commands:?}");
            assert_eq!(prepared.texts(commands), expected, "{case}");
        }
    }

    #[test]
    fn knows_what_a_statement_writes() {
        for (statement, expected) in [
            (INSERT, Writes::Rows),
            ("/* a */ insert into u values ('select')", Writes::Rows),
            ("INSERT INTO u SELECT 1", Writes::Maybe),
            (
                "INSERT INTO u VALUES (1) ON CONFLICT DO NOTHING",
                Writes::Maybe,
            ),
            (UPDATE, Writes::Maybe),
            (
                "WITH a AS (DELETE FROM u RETURNING 1) SELECT 1",
                Writes::Maybe,
            ),
            ("WITH a AS (SELECT 1) SELECT 1", Writes::Nothing),
            (SELECT, Writes::Nothing),
            ("SET a.b = 1", Writes::Nothing),
        ] {
            assert_eq!(
                Writes::of(statement, PostgresDialect.lexer()),
                expected,
                "{statement}"
            );
        }
    }
}
