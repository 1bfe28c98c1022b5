//! The SQL of PostgreSQL, as text.

use crate::backend::Backend;
use crate::postgres::roles;
use crate::postgres::settings_set::settings_set;
use crate::postgres::traces::{self, Suspects};
use crate::sql::dialect::{Dialect, NOT_SQL, ProgramBody, Rejection, SettingsSet};
use crate::sql::lexer::LexerRules;

#[derive(Debug)]
pub(crate) struct PostgresDialect;

impl Dialect for PostgresDialect {
    fn backend(&self) -> Backend {
        Backend::Postgres
    }

    fn lexer(&self) -> &'static LexerRules {
        &LexerRules {
            nested_comments: true,
            dashes_need_space: false,
            hash_comments: false,
            conditional_comments: false,
            backslash_escapes: false,
            escape_strings: true,
            dollar_quotes: true,
            backtick_names: false,
            bracket_names: false,
        }
    }

    fn may_leave_traces(&self, sql: &str, suspects: &Suspects) -> bool {
        traces::may_leave_traces(sql, self.lexer(), suspects)
    }

    fn settings_set(&self, sql: &str) -> SettingsSet {
        settings_set(sql, self.lexer())
    }

    /// By a transaction that says `READ WRITE`.
    fn others_may_commit(&self) -> bool {
        true
    }

    fn program(&self, object: &str) -> Option<Box<dyn ProgramBody>> {
        match object {
            "FUNCTION" | "PROCEDURE" => Some(Box::new(Routine::default())),
            "RULE" => Some(Box::new(Rule { open: 0 })),
            _ => None,
        }
    }

    fn repeatable(&self, statement: &str) -> Option<String> {
        roles::repeatable(statement, self.lexer())
    }

    fn refusal_help(&self, message: &str) -> Option<&'static str> {
        match message {
            _ if message.contains("role \"") && message.contains("does not exist") => {
                Some("make the role first, or dump with `pg_dump --no-owner --no-privileges`")
            }
            _ if message.contains("role \"") && message.contains("already exists") => Some(
                "the role is on this server and no schema has made it: drop it, or leave the statement out; in a \
                 migration of SeaORM write `DO $$ BEGIN CREATE ROLE ..; EXCEPTION WHEN duplicate_object THEN NULL; END $$`",
            ),
            _ if message.contains("unrecognized configuration parameter") => {
                Some("leave it out, or dump with the `pg_dump` that belongs to the server")
            }
            _ => None,
        }
    }

    fn reject(&self, text: &str) -> Option<Rejection> {
        if text.starts_with('\\') {
            return Some(Rejection {
                fact: NOT_SQL,
                help: "only `psql` knows it: leave it out, the text is run on the test's own database",
            });
        }
        let mut words = text.split_whitespace();
        let is_copy = words.next()?.eq_ignore_ascii_case("COPY");
        (is_copy && reads_what_follows(words)).then_some(Rejection {
            fact: "is followed by rows that are not SQL",
            help: "write `INSERT`, or dump with `pg_dump --inserts`",
        })
    }

    /// `pg_dump` puts its text between two commands, so that nothing in it can command `psql`.
    fn ignorable(&self, text: &str) -> Option<usize> {
        let known = ["\\restrict", "\\unrestrict"];
        let word = text.split_whitespace().next()?;
        let length = || text.find('\n').unwrap_or(text.len());
        known.contains(&word).then(length)
    }
}

/// Whether the words after `COPY` end in `FROM stdin`, and options.
fn reads_what_follows<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    let words: Vec<_> = words.map(str::to_ascii_uppercase).collect();
    words.windows(2).any(|pair| pair == ["FROM", "STDIN"])
}

/// The body of a function or a procedure. It is quoted, or stands between `BEGIN ATOMIC` and `END`.
#[derive(Default)]
struct Routine {
    /// How many `BEGIN ATOMIC` and `CASE` wait for their `END`.
    depth: usize,
    /// Whether the last word was `BEGIN`.
    has_begun: bool,
}

impl ProgramBody for Routine {
    fn semicolon(&mut self) -> bool {
        self.depth == 0
    }

    fn word(&mut self, word: &str) {
        let has_begun = std::mem::replace(&mut self.has_begun, word == "BEGIN");
        match word {
            "ATOMIC" if has_begun => self.depth += 1,
            "CASE" if self.depth > 0 => self.depth += 1,
            "END" => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn other(&mut self, _text: &str) {
        self.has_begun = false;
    }
}

/// The commands of a rule, which stand in parentheses.
struct Rule {
    /// How many parentheses are open.
    open: usize,
}

impl ProgramBody for Rule {
    fn semicolon(&mut self) -> bool {
        self.open == 0
    }

    fn word(&mut self, _word: &str) {}

    fn other(&mut self, text: &str) {
        match text {
            "(" => self.open += 1,
            ")" => self.open = self.open.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::split::tests::{expect_read_once, expect_rejected, expect_whole, texts_of};

    #[test]
    fn keeps_postgres_bodies_and_quotes_together() {
        expect_whole(
            &PostgresDialect,
            &[
                "CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END; $$ LANGUAGE plpgsql",
                "DO $a$ BEGIN PERFORM $$;$$; END $a$",
                "CREATE FUNCTION f(begin date) RETURNS int LANGUAGE sql AS 'SELECT 1;'",
                "CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END",
                "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql BEGIN ATOMIC; END",
                "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW WHEN (new.x > 1) EXECUTE FUNCTION f()",
                "CREATE RULE r AS ON INSERT TO a DO ALSO (DELETE FROM b; INSERT INTO c VALUES ((1)))",
                r"SELECT E'it\'s; fine', 'no escape\', 1, U&'d\0061t;'",
                "SELECT /* one /* two; */ still; */ 1",
                "SELECT ARRAY['a;b', ']', ';'], x[1], a$b, \"a;$$\"",
                "PREPARE p AS SELECT $1, $2",
                "CREATE OPERATOR ` (PROCEDURE = f)",
            ],
        );
    }

    #[test]
    fn what_editors_and_pg_dump_put_around_a_text_is_left_out() {
        let sql = "\u{feff}--\n\\restrict aBc\n\nSELECT 1;\r\n\\unrestrict aBc\n";
        assert_eq!(texts_of(sql, &PostgresDialect), [(4, "SELECT 1")]);
    }

    #[test]
    fn refuses_what_is_not_for_the_server() {
        for (sql, line, text, help) in [
            (
                "SELECT 1;\n\\connect shop\n",
                2,
                "\\connect shop",
                "leave it out",
            ),
            ("SELECT 1\n\\g\n", 2, "\\g", "leave it out"),
            (
                "COPY a (x) FROM stdin;\n1\n\\.\n",
                1,
                "COPY a (x) FROM stdin",
                "INSERT",
            ),
            (
                "copy a\nfrom\nSTDIN with (format csv);\n",
                1,
                "copy a",
                "INSERT",
            ),
        ] {
            expect_rejected(&PostgresDialect, sql, line, text, help);
        }
    }

    #[test]
    fn a_transaction_that_ends_is_not_refused() {
        for sql in ["BEGIN; SELECT 1; COMMIT", "start transaction; ROLLBACK"] {
            texts_of(sql, &PostgresDialect);
        }
    }

    #[test]
    fn a_long_text_is_read_once() {
        expect_read_once(&PostgresDialect);
    }
}
