//! SQL text cut into statements, so that the one that fails can be named with its line.
//!
//! Only what can hide a `;` is understood: quotes, comments, and the bodies of triggers, procedures
//! and functions. Everything else is the database's to judge, except for what is not meant for it: the
//! commands of a database's own command line program. What the dump programs write is understood.

use crate::backend::Backend;

use crate::sql::client_commands;
use crate::sql::client_commands::Refused;
use crate::sql::lexer::{Kind, Token, token};
use crate::sql::program_body::Body;

/// One statement and the line of the text on which it begins, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    pub(crate) line: usize,
    pub(crate) text: &'a str,
}

/// The statements of `sql`, without the empty ones.
pub(crate) fn statements(sql: &str, dialect: Backend) -> Result<Vec<Statement<'_>>, Refused> {
    let mut cut = Cut {
        sql,
        dialect,
        found: Vec::new(),
        counted: 0,
        line: 1,
        transaction: None,
    };
    let mut at = 0;
    while let Some(start) = cut.begin(at) {
        at = match client_commands::delimiter(&sql[start..], dialect) {
            Some((delimiter, length)) => cut.delimited(delimiter, start + length)?,
            None => cut.statement(start)?,
        };
    }
    match cut.transaction {
        None => Ok(cut.found),
        Some(Statement { line, text }) => Err(Refused {
            line,
            text: text.to_owned(),
            fact: "begins a transaction that the text does not end",
            help: "write `COMMIT` at its end; a template has committed rows only",
        }),
    }
}

struct Cut<'a> {
    sql: &'a str,
    dialect: Backend,
    found: Vec<Statement<'a>>,
    /// Up to where lines have been counted, and how many.
    counted: usize,
    line: usize,
    /// The statement that has begun the transaction that is open.
    transaction: Option<Statement<'a>>,
}

impl<'a> Cut<'a> {
    /// Where the next statement begins, from `at` on: comments before it are not part of it.
    fn begin(&self, mut at: usize) -> Option<usize> {
        while at < self.sql.len() {
            let rest = &self.sql[at..];
            let Token { kind, length } = token(rest, self.dialect, false);
            at += match (kind, client_commands::harmless(rest, self.dialect)) {
                (Kind::Blank | Kind::Semicolon, _) => length,
                (_, Some(length)) => length,
                _ => return Some(at),
            };
        }
        None
    }

    /// Takes the statement that begins at `start` and ends with a `;`. Where the next one may begin.
    fn statement(&mut self, start: usize) -> Result<usize, Refused> {
        let (sql, dialect) = (self.sql, self.dialect);
        let mut body = Body::new(dialect);
        let mut conditional = false;
        let mut at = start;
        while at < sql.len() {
            let Token { kind, length } = token(&sql[at..], dialect, conditional);
            let end = at + length;
            let text = &sql[at..end];
            match kind {
                Kind::Blank => {}
                Kind::Conditional => conditional = true,
                Kind::ConditionalEnd => conditional = false,
                Kind::Semicolon if !conditional && body.semicolon() => {
                    self.push(start, at)?;
                    return Ok(end);
                }
                Kind::Semicolon => {}
                Kind::Word => body.word(text),
                // No quote is open, so it is nothing that PostgreSQL could read.
                Kind::Other if dialect == Backend::Postgres && text == "\\" => {
                    self.push(at, sql.len())?;
                }
                Kind::Other => body.other(text),
            }
            at = end;
        }
        self.push(start, sql.len())?;
        Ok(sql.len())
    }

    /// Takes the statements that end with `delimiter`, up to the line that changes it. Where that ends.
    fn delimited(&mut self, delimiter: &str, mut at: usize) -> Result<usize, Refused> {
        let (sql, dialect) = (self.sql, self.dialect);
        if delimiter == ";" {
            return Ok(at);
        }
        while let Some(start) = self.begin(at) {
            if client_commands::delimiter(&sql[start..], dialect).is_some() {
                return Ok(start);
            }
            let mut end = start;
            let mut conditional = false;
            while end < sql.len() && !sql[end..].starts_with(delimiter) {
                let Token { kind, length } = token(&sql[end..], dialect, conditional);
                conditional =
                    (conditional || kind == Kind::Conditional) && kind != Kind::ConditionalEnd;
                let word = &sql[end..end + length];
                end += match kind {
                    // `END$$`
                    Kind::Word => word.find(delimiter).unwrap_or(length),
                    _ => length,
                };
            }
            self.push(start, end)?;
            at = sql.len().min(end + delimiter.len());
        }
        Ok(sql.len())
    }

    fn push(&mut self, start: usize, end: usize) -> Result<(), Refused> {
        if let Some(refused) = self.refused(start, end) {
            return Err(refused);
        }
        let text = self.sql[start..end].trim_end();
        if !text.is_empty() {
            let line = self.line_of(start);
            let statement = Statement { line, text };
            match client_commands::transaction(text) {
                Some(true) => self.transaction = Some(statement),
                Some(false) => self.transaction = None,
                None => {}
            }
            self.found.push(statement);
        }
        Ok(())
    }

    fn refused(&mut self, start: usize, end: usize) -> Option<Refused> {
        let text = &self.sql[start..end];
        let (fact, help) = client_commands::refused(text, self.dialect)?;
        Some(Refused {
            line: self.line_of(start),
            text: text
                .trim_end()
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
            fact,
            help,
        })
    }

    /// Asked in the order of the text, so that each line is counted once.
    fn line_of(&mut self, at: usize) -> usize {
        self.line += self.sql[self.counted..at].matches('\n').count();
        self.counted = at;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<(usize, &str)> {
        texts_of(sql, Backend::Sqlite)
    }

    fn texts_of(sql: &str, dialect: Backend) -> Vec<(usize, &str)> {
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

    #[track_caller]
    fn expect_whole(dialect: Backend, statements: &[&str]) {
        for statement in statements {
            let sql = format!("{statement};\nSELECT 1;");
            let line = 2 + statement.matches('\n').count();
            let expected = [(1, *statement), (line, "SELECT 1")];
            assert_eq!(texts_of(&sql, dialect), expected);
        }
    }

    #[test]
    fn keeps_bodies_of_sqlite_together() {
        expect_whole(
            Backend::Sqlite,
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
    fn keeps_postgres_bodies_and_quotes_together() {
        expect_whole(
            Backend::Postgres,
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
    fn keeps_mysql_bodies_and_quotes_together() {
        expect_whole(
            Backend::MySql,
            &[
                "CREATE DEFINER=`root`@`localhost` PROCEDURE p() BEGIN\nIF a THEN SET b = 1; END IF;\n\
                 WHILE a DO SET b = 2; END WHILE; CASE b WHEN 1 THEN SET c = 1; END CASE; END",
                "CREATE DEFINER = root@localhost TRIGGER t BEFORE INSERT ON a FOR EACH ROW SET NEW.x = 1",
                "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW IF NEW.x > 1 THEN SET NEW.x = 1; \
                 ELSEIF NEW.x < 0 THEN SET NEW.x = IF(NEW.x < -5, 1, 2); ELSE IF 1 THEN SET NEW.x = 3; \
                 END IF; END IF",
                "CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW FOLLOWS other IF (NEW.x) THEN CALL p(); END IF",
                "CREATE TRIGGER t AFTER UPDATE ON a FOR EACH ROW PRECEDES `if` CASE NEW.x WHEN 1 THEN \
                 SELECT 1; ELSE BEGIN END; END CASE",
                "CREATE PROCEDURE IF NOT EXISTS p(IN x INT) IF NOT EXISTS (SELECT 1) THEN SELECT 2; END IF",
                "CREATE PROCEDURE p(x CHAR(5)) DETERMINISTIC COMMENT 'if;' one: LOOP LEAVE one; END LOOP one",
                "CREATE PROCEDURE p() REPEAT SET @x = REPEAT('a', 3); UNTIL @x END REPEAT",
                "CREATE PROCEDURE p() FOR i IN 1..3 DO SELECT i; END FOR",
                "CREATE PROCEDURE p() SELECT IF(1, 2, 3) FROM a WHERE (x) FOR UPDATE",
                "CREATE PROCEDURE p() BEGIN DECLARE CONTINUE HANDLER FOR NOT FOUND SET @d = 1; \
                 DECLARE c CURSOR FOR SELECT CASE WHEN 1 THEN IF(1, 2, 3) ELSE IF(4, 5, 6) END; \
                 DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; END; DO IF(1, 2, 3); \
                 x: BEGIN DROP TABLE IF EXISTS y; END x; END",
                "CREATE OR REPLACE FUNCTION f() RETURNS INT RETURN CASE WHEN 1 THEN 2 ELSE 3 END",
                "CREATE FUNCTION f() RETURNS VARCHAR(5) CHARACTER SET utf8mb4 RETURN IF(1, REPEAT('a', 2), 'b')",
                "CREATE EVENT e ON SCHEDULE EVERY 1 DAY ON COMPLETION PRESERVE DO IF 1 THEN SELECT 1; END IF",
                "ALTER EVENT e DO BEGIN SELECT 1; SELECT 2; END",
                "CREATE PACKAGE BODY k PROCEDURE p() BEGIN SELECT 1; END; FUNCTION f() RETURNS INT RETURN 1; END",
                "BEGIN NOT ATOMIC SELECT 1; IF 1 THEN SELECT 2; END IF; END",
                "CREATE TABLE IF NOT EXISTS a (x INT) COMMENT 'if'",
                r#"SELECT 'it\'s; fine', "a\";b", 'it''s'"#,
                "SELECT 1 # one; two\n+ 2 -- three; four\n, 1--1",
                "SELECT 2*/* ; */3, `a``;b`",
                "/*!40101 SET NAMES utf8 */",
                "/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER t BEFORE INSERT \
                 ON a FOR EACH ROW BEGIN SET NEW.x = '*/'; /* ; */ SET NEW.y = 2; END */",
                "/*!50003 SELECT 1; SELECT 2 */",
            ],
        );
    }

    #[test]
    fn a_delimiter_is_not_looked_for_in_quotes_and_comments() {
        let sql = "/*M!999999\\- sandbox */ \nSELECT 1;\nDELIMITER ;;\nCREATE PROCEDURE p()\nBEGIN\n  \
                   SELECT ';;'; -- ;;\nEND ;;\n/*!50003 SELECT 3; */;;\n\ndelimiter $$ \nSELECT a$$ SELECT 5 $$\n\
                   DELIMITER ;\nSELECT 6; SELECT 7";
        let expected = [
            (2, "SELECT 1"),
            (4, "CREATE PROCEDURE p()\nBEGIN\n  SELECT ';;'; -- ;;\nEND"),
            (8, "/*!50003 SELECT 3; */"),
            (11, "SELECT a"),
            (11, "SELECT 5"),
            (13, "SELECT 6"),
            (13, "SELECT 7"),
        ];
        assert_eq!(texts_of(sql, Backend::MySql), expected);
        let names = "SELECT delimiter FROM a; DELIMITERS; DELIMITER";
        assert_eq!(texts_of(names, Backend::MySql).len(), 3);
    }

    #[test]
    fn what_editors_and_pg_dump_put_around_a_text_is_left_out() {
        let sql = "\u{feff}--\n\\restrict aBc\n\nSELECT 1;\r\n\\unrestrict aBc\n";
        assert_eq!(texts_of(sql, Backend::Postgres), [(4, "SELECT 1")]);
    }

    #[test]
    fn refuses_what_is_not_for_the_server() {
        use crate::backend::Backend::{MySql, Postgres, Sqlite};
        for (sql, dialect, line, text, help) in [
            (
                "SELECT 1;\n\\connect shop\n",
                Postgres,
                2,
                "\\connect shop",
                "leave it out",
            ),
            ("SELECT 1\n\\g\n", Postgres, 2, "\\g", "leave it out"),
            (
                "COPY a (x) FROM stdin;\n1\n\\.\n",
                Postgres,
                1,
                "COPY a (x) FROM stdin",
                "INSERT",
            ),
            (
                "copy a\nfrom\nSTDIN with (format csv);\n",
                Postgres,
                1,
                "copy a",
                "INSERT",
            ),
            ("-- x\nUSE shop;", MySql, 2, "USE shop", "--databases"),
            (
                "source a.sql\nSELECT 1;",
                MySql,
                1,
                "source a.sql",
                "sql_dir",
            ),
            ("\n.read x.sql\n", Sqlite, 2, ".read x.sql", "leave it out"),
            ("BEGIN;\nSELECT 1;", Sqlite, 1, "BEGIN", "COMMIT"),
            (
                "COMMIT;\nSTART TRANSACTION; ROLLBACK TO x;",
                MySql,
                2,
                "START TRANSACTION",
                "COMMIT",
            ),
        ] {
            let refused = statements(sql, dialect).unwrap_err();
            assert_eq!((refused.line, refused.text.as_str()), (line, text));
            assert!(refused.help.contains(help), "{refused:?}");
        }
        for sql in ["BEGIN; SELECT 1; COMMIT", "start transaction; ROLLBACK"] {
            statements(sql, Postgres).unwrap();
        }
    }

    /// Each statement costs what is in it, not what comes before.
    #[test]
    fn a_long_text_is_read_once() {
        let sql = "INSERT INTO a VALUES (1, 'x$y'); /* c */\n".repeat(20_000);
        for dialect in [Backend::Sqlite, Backend::Postgres, Backend::MySql] {
            let found = statements(&sql, dialect).unwrap();
            assert_eq!(found[19_999].line, 20_000);
        }
    }
}
