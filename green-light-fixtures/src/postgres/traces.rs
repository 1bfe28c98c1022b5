//! What a statement may leave in its session that no rollback takes away.
//!
//! What a session of PostgreSQL holds cannot all be seen: no view lists the settings of an application, as
//! `SET app.user = ..` makes one, and it stays known when it is rolled back. So it is the statement that is looked at.
//! One is innocent if it is of a kind that is known to leave nothing, and calls no suspect function.
//!
//! Suspect are functions of the server that are volatile and not known to leave nothing, and those of the schema that
//! are neither written in SQL or PL/pgSQL nor part of a known extension, that run such statements, or that call
//! another suspect. They are found when the template of a sandbox is made (`traces.sql`), with what else of the schema
//! calls them without being named: triggers, defaults, views, types. Then no statement is innocent.

use std::collections::HashSet;

use crate::sql::lexer::{Kind, LexerRules, tokens};

/// The names of functions that may leave something in a session.
pub(crate) type Suspects = HashSet<Box<str>>;

/// The first words of statements that leave nothing in their session when they are rolled back. Those that end the
/// transaction are reported by other means.
const INNOCENT: [&str; 20] = [
    "select",
    "insert",
    "update",
    "delete",
    "merge",
    "values",
    "with",
    "table",
    "truncate",
    "lock",
    "savepoint",
    "release",
    "show",
    "notify",
    "explain",
    "fetch",
    "move",
    "close",
    "copy",
    "set",
];

/// Settings that are as before after a rollback, and that change no statement which was prepared meanwhile.
const INNOCENT_SETTINGS: [&str; 14] = [
    "constraints",
    "role",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "transaction_timeout",
    "work_mem",
    "maintenance_work_mem",
    "client_min_messages",
    "application_name",
    "synchronous_commit",
    "enable_seqscan",
    "enable_indexscan",
    "enable_nestloop",
];

/// Whether `sql` may leave something in its session, or end its transaction.
pub(crate) fn may_leave_traces(sql: &str, rules: &'static LexerRules, suspects: &Suspects) -> bool {
    let mut place = Place::Start;
    for (kind, text) in tokens(sql, rules) {
        let word = match kind {
            Kind::Semicolon => {
                place = Place::Start;
                continue;
            }
            Kind::Word => text.to_ascii_lowercase(),
            // A quoted name.
            _ if text.starts_with('"') => text.trim_matches('"').to_owned(),
            _ => continue,
        };
        match place {
            Place::Start if !INNOCENT.contains(&word.as_str()) => return true,
            Place::Setting if ["local", "session"].contains(&word.as_str()) => continue,
            Place::Setting if !INNOCENT_SETTINGS.contains(&word.as_str()) => return true,
            _ => {}
        }
        place = match (place, word.as_str()) {
            (Place::Start, "set") => Place::Setting,
            (Place::Start, "copy") => Place::Copy,
            (Place::Copy, "program" | "execute") | (Place::Within, "execute") => return true,
            (Place::Copy, _) => Place::Copy,
            _ => Place::Within,
        };
        // `U&"\0073etval"` is a name as well, and `green_light` is nothing that an application names.
        if word == "u" && sql.to_ascii_lowercase().contains("u&\"")
            || word.starts_with("green_light")
            || suspects.contains(word.as_str())
        {
            return true;
        }
    }
    false
}

/// Where in a statement a word stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// After `SET`.
    Setting,
    /// In a `COPY`.
    Copy,
    Within,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::dialect::PostgresDialect;
    use crate::sql::dialect::Dialect as _;

    fn is_innocent(sql: &str) -> bool {
        let suspects = ["set_config", "setval", "setseed", "Mine"].map(Box::from);
        !may_leave_traces(sql, PostgresDialect.lexer(), &HashSet::from(suspects))
    }

    #[test]
    fn what_applications_send_every_day_is_innocent() {
        for sql in [
            "SELECT 1",
            "(SELECT 'set_config') UNION (SELECT $1)",
            "INSERT INTO u (email) VALUES ($1) RETURNING id",
            "WITH a AS (UPDATE u SET email = 'x' RETURNING 1) SELECT * FROM a",
            "-- SET app.x\nDELETE FROM \"u\" WHERE id = 1; TABLE u",
            "SAVEPOINT a; RELEASE a",
            "SET LOCAL statement_timeout = '1s'",
            "SET CONSTRAINTS ALL IMMEDIATE",
            "set local role reader",
            "COPY u FROM STDIN",
            "SELECT nextval('u_id_seq'), pg_sleep(0)",
        ] {
            assert!(is_innocent(sql), "{sql}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_innocent() {
        for sql in [
            "SET app.x = 1",
            "SET LOCAL search_path = other",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
            "RESET ALL",
            "SELECT 1; DO $$ BEGIN END $$",
            "SELECT set_config('app.x', '1', true)",
            "SELECT \"setval\"('u_id_seq', 7)",
            "SELECT pg_catalog . SETVAL('u_id_seq', 7)",
            "SELECT U&\"\\0073etval\"('u_id_seq', 7)",
            "SELECT \"Mine\"()",
            "EXPLAIN ANALYZE EXECUTE p",
            "COPY u FROM PROGRAM 'date'",
            "LISTEN a",
            "CREATE TABLE a (x int)",
            "COMMIT",
            "ROLLBACK; SELECT 1",
            "SAVEPOINT green_light_1",
            "DELETE FROM green_light.guard",
        ] {
            assert!(!is_innocent(sql), "{sql}");
        }
    }
}
