//! SQL text cut into statements, so that the one that fails can be named with its line.
//!
//! Only what can hide a `;` is understood: quotes, comments, and the bodies of triggers, procedures
//! and functions. Everything else is the database's to judge, except for the commands of a database's
//! own command line program, which no database understands.

use sea_orm::DbBackend;

use super::token::{Kind, Token, token};

/// One statement and the line of the text on which it begins, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Statement<'a> {
    pub(super) line: usize,
    pub(super) text: &'a str,
}

/// What is no statement, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) line: usize,
    pub(super) text: String,
    pub(super) help: &'static str,
}

/// The statements of `sql`, without the empty ones.
pub(super) fn statements(sql: &str, dialect: DbBackend) -> Result<Vec<Statement<'_>>, Refused> {
    let mut found = Vec::new();
    let mut words = Words::default();
    let mut start = 0;
    let mut at = 0;
    while at < sql.len() {
        let token = token(&sql[at..], dialect);
        let end = at + token.length;
        match token.kind {
            Kind::Blank => {}
            Kind::Semicolon if words.depth == 0 => {
                push(&mut found, sql, start, at, dialect)?;
                words = Words::default();
                start = end;
            }
            Kind::Semicolon | Kind::Other => words.other(&sql[at..end]),
            Kind::Word => words.word(&sql[at..end]),
        }
        at = end;
    }
    push(&mut found, sql, start, sql.len(), dialect)?;
    Ok(found)
}

fn push<'a>(
    found: &mut Vec<Statement<'a>>,
    sql: &'a str,
    start: usize,
    end: usize,
    dialect: DbBackend,
) -> Result<(), Refused> {
    let mut from = start;
    // Comments before a statement are not part of it: the line named is the statement's own.
    while from < end {
        let Token { kind, length } = token(&sql[from..end], dialect);
        if !matches!(kind, Kind::Blank) {
            break;
        }
        from += length;
    }
    let text = sql[from..end].trim_end();
    let line = 1 + sql[..from].matches('\n').count();
    if let Some(help) = command(text, dialect) {
        let text = text.lines().next().unwrap_or_default().to_owned();
        return Err(Refused { line, text, help });
    }
    if !text.is_empty() {
        found.push(Statement { line, text });
    }
    Ok(())
}

/// What to do instead of a command for `psql`, `mysql` or `sqlite3`.
fn command(text: &str, dialect: DbBackend) -> Option<&'static str> {
    let upper = || text.to_ascii_uppercase();
    match dialect {
        DbBackend::Postgres if text.starts_with('\\') => {
            Some("only `psql` knows it: leave it out, the text is run on the test's own database")
        }
        DbBackend::Postgres if is_copy_from_stdin(&upper()) => {
            Some("its rows follow outside of SQL: write `INSERT`, or dump with `pg_dump --inserts`")
        }
        DbBackend::MySql if upper().starts_with("DELIMITER") => Some(
            "only `mysql` knows it: leave it out, bodies between `BEGIN` and `END` are seen as such",
        ),
        DbBackend::Sqlite if text.starts_with('.') => Some(
            "only `sqlite3` knows it: leave it out, the text is run on the test's own database",
        ),
        _ => None,
    }
}

fn is_copy_from_stdin(upper: &str) -> bool {
    let words: Vec<_> = upper.split_whitespace().collect();
    words.first() == Some(&"COPY") && words.windows(2).any(|pair| pair == ["FROM", "STDIN"])
}

/// What has been seen of the statement so far, as far as it decides where the statement ends.
#[derive(Default)]
struct Words {
    begun: Object,
    /// How many `BEGIN` and `CASE` wait for their `END`.
    depth: usize,
    /// Whether the last word was an `END` that has been counted.
    end: bool,
    /// Whether the last token was one that an account's name follows, as in `DEFINER = root`.
    name: bool,
}

/// Whether a statement makes something that has a body.
#[derive(Default, PartialEq)]
enum Object {
    /// No word yet.
    #[default]
    Nothing,
    /// `CREATE`, but not yet what.
    Something,
    WithBody,
    Other,
}

impl Words {
    fn word(&mut self, word: &str) {
        let word = word.to_ascii_uppercase();
        let after_end = std::mem::take(&mut self.end);
        let name = std::mem::take(&mut self.name);
        match self.begun {
            Object::Nothing if word == "CREATE" => self.begun = Object::Something,
            Object::Nothing => self.begun = Object::Other,
            Object::Something if !name => self.object(&word),
            Object::WithBody => match word.as_str() {
                // `END CASE` ends what `CASE` began, and `END` has been counted.
                "BEGIN" => self.depth += 1,
                "CASE" if !after_end => self.depth += 1,
                // These end what was not counted.
                "IF" | "LOOP" | "WHILE" | "REPEAT" | "FOR" if after_end => self.depth += 1,
                "END" if self.depth > 0 => {
                    self.depth -= 1;
                    self.end = true;
                }
                _ => {}
            },
            Object::Something | Object::Other => {}
        }
    }

    /// What follows `CREATE`.
    fn object(&mut self, word: &str) {
        self.begun = match word {
            "OR" | "REPLACE" | "TEMP" | "TEMPORARY" | "AGGREGATE" | "CONSTRAINT" | "DEFINER"
            | "CURRENT_USER" => return,
            "TRIGGER" | "PROCEDURE" | "FUNCTION" | "EVENT" | "PACKAGE" => Object::WithBody,
            _ => Object::Other,
        };
    }

    fn other(&mut self, text: &str) {
        self.end = false;
        self.name = matches!(text, "=" | "@");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<(usize, &str)> {
        texts_of(sql, DbBackend::Sqlite)
    }

    fn texts_of(sql: &str, dialect: DbBackend) -> Vec<(usize, &str)> {
        let found = statements(sql, dialect).unwrap();
        found.into_iter().map(|s| (s.line, s.text)).collect()
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
    fn keeps_a_trigger_body_together() {
        let trigger = "create temp trigger t after insert on a begin\n  \
                       update a set x = case when x then 1 else 2 end; delete from b;\nend";
        let sql = format!("{trigger};\nSELECT 1;");
        assert_eq!(texts(&sql), [(1, trigger), (4, "SELECT 1")]);
    }

    #[test]
    fn keeps_postgres_bodies_and_quotes_together() {
        for statement in [
            "CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END; $$ LANGUAGE plpgsql",
            "DO $a$ BEGIN PERFORM $$;$$; END $a$",
            "CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
            r"SELECT E'it\'s; fine', 'no escape\', 1",
            "SELECT /* one /* two; */ still; */ 1",
            "SELECT ARRAY['a;b', ']', ';'], x[1]",
            "PREPARE p AS SELECT $1",
        ] {
            let sql = format!("{statement};\nSELECT 1;");
            let expected = [(1, statement), (2, "SELECT 1")];
            assert_eq!(texts_of(&sql, DbBackend::Postgres), expected);
        }
    }

    #[test]
    fn keeps_mysql_bodies_and_quotes_together() {
        for statement in [
            "CREATE DEFINER=`root`@`localhost` PROCEDURE p() BEGIN\nIF a THEN SET b = 1; END IF;\n\
             WHILE a DO SET b = 2; END WHILE; CASE b WHEN 1 THEN SET c = 1; END CASE; END",
            "CREATE DEFINER = root@localhost TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.x = 1",
            "CREATE OR REPLACE FUNCTION f() RETURNS INT RETURN CASE WHEN 1 THEN 2 ELSE 3 END",
            r#"SELECT 'it\'s; fine', "a\";b", 'it''s'"#,
            "SELECT 1 # one; two\n+ 2",
            "/*!40101 SET NAMES utf8 */",
        ] {
            let sql = format!("{statement};\nSELECT 1;");
            let found = texts_of(&sql, DbBackend::MySql);
            assert_eq!(found.len(), 2, "{found:?}");
            assert_eq!(found[0].1, statement);
        }
    }

    #[test]
    fn refuses_the_commands_of_other_programs() {
        for (sql, dialect, line, text) in [
            (
                "SELECT 1;\n\\connect shop\n",
                DbBackend::Postgres,
                2,
                "\\connect shop",
            ),
            (
                "COPY a (x) FROM stdin;\n1\n\\.\n",
                DbBackend::Postgres,
                1,
                "COPY a (x) FROM stdin",
            ),
            (
                "DELIMITER //\nSELECT 1 //\n",
                DbBackend::MySql,
                1,
                "DELIMITER //",
            ),
            (".read x.sql\n", DbBackend::Sqlite, 1, ".read x.sql"),
        ] {
            let refused = statements(sql, dialect).unwrap_err();
            assert_eq!((refused.line, refused.text.as_str()), (line, text));
            assert!(refused.help.contains("leave it out") || refused.help.contains("INSERT"));
        }
    }
}
