//! The SQL of SQLite, as text.

use crate::backend::Backend;
use crate::sql::dialect::{Dialect, NOT_SQL, ProgramBody, Rejection};
use crate::sql::lexer::LexerRules;

#[derive(Debug)]
pub(crate) struct SqliteDialect;

impl Dialect for SqliteDialect {
    fn backend(&self) -> Backend {
        Backend::Sqlite
    }

    fn lexer(&self) -> &'static LexerRules {
        &LexerRules {
            nested_comments: false,
            dashes_need_space: false,
            hash_comments: false,
            conditional_comments: false,
            backslash_escapes: false,
            escape_strings: false,
            dollar_quotes: false,
            backtick_names: true,
            bracket_names: true,
        }
    }

    fn program(&self, object: &str) -> Option<Box<dyn ProgramBody>> {
        (object == "TRIGGER").then(|| Box::new(Trigger::Other) as _)
    }

    fn reject(&self, text: &str) -> Option<Rejection> {
        text.starts_with('.').then_some(Rejection {
            fact: NOT_SQL,
            help: "only `sqlite3` knows it: leave it out, the text is run on the test's own database",
        })
    }
}

/// The body of a trigger, which ends with `; END ;`, as `sqlite3` itself tells: what of that has been seen.
#[derive(PartialEq)]
enum Trigger {
    Other,
    Semicolon,
    End,
}

impl ProgramBody for Trigger {
    fn semicolon(&mut self) -> bool {
        std::mem::replace(self, Self::Semicolon) == Self::End
    }

    fn word(&mut self, word: &str) {
        *self = match self {
            Self::Semicolon if word == "END" => Self::End,
            _ => Self::Other,
        };
    }

    fn other(&mut self, _text: &str) {
        *self = Self::Other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::split::tests::{expect_read_once, expect_rejected, expect_whole, texts_of};

    fn texts(sql: &str) -> Vec<(usize, &str)> {
        texts_of(sql, &SqliteDialect)
    }

    #[test]
    fn cuts_at_semicolons_and_counts_lines() {
        assert_eq!(
            texts(
                "CREATE TABLE a (x);\n\n-- a; comment\nINSERT INTO a VALUES (';');;\n/* ; */ SELECT 1"
            ),
            [
                (1, "CREATE TABLE a (x)"),
                (4, "INSERT INTO a VALUES (';')"),
                (5, "SELECT 1")
            ],
        );
        assert_eq!(texts("  ;; -- nothing\n ; "), []);
        assert_eq!(
            texts("SELECT 'it''s; fine', \"a;b\", `c;d`, [e;f]").len(),
            1
        );
        assert_eq!(texts("SELECT 'open; quote").len(), 1);
        assert_eq!(texts("SELECT 'é;ü' ; SELECT '漢'").len(), 2);
        assert_eq!(texts("BEGIN; SELECT 1; END").len(), 3);
        assert_eq!(texts("CREATE TABLE event (begin INT); SELECT 1").len(), 2);
    }

    #[test]
    fn keeps_bodies_of_sqlite_together() {
        expect_whole(
            &SqliteDialect,
            &[
                "create temp trigger t after insert on a begin\n  \
                 update a set x = case when x then 1 else 2 end; delete from b;\nend",
                "CREATE TRIGGER IF NOT EXISTS t BEFORE UPDATE OF x ON a FOR EACH ROW \
                 WHEN CASE new.x WHEN 1 THEN 2 END BEGIN SELECT 1; SELECT new.end, 'end;'; /* ; */ END",
                "CREATE TRIGGER t AFTER DELETE ON a BEGIN SELECT 1; -- end;\nEND /* ; end; */",
                "CREATE VIEW v AS SELECT CASE WHEN 1 THEN 2 END",
                "CREATE TABLE \"a;b\" ([c;d], `e;f` DEFAULT ';')",
            ],
        );
    }

    #[test]
    fn refuses_what_is_not_for_the_server() {
        for (sql, line, text, help) in [
            ("\n.read x.sql\n", 2, ".read x.sql", "leave it out"),
            ("BEGIN;\nSELECT 1;", 1, "BEGIN", "COMMIT"),
        ] {
            expect_rejected(&SqliteDialect, sql, line, text, help);
        }
    }

    #[test]
    fn a_long_text_is_read_once() {
        expect_read_once(&SqliteDialect);
    }
}
