//! The SQL of MySQL and MariaDB, as text.

use crate::backend::Backend;
use crate::mysql::blocks::Blocks;
use crate::mysql::{counters, lexer, session_traces};
use crate::sql::classify::{is, words};
use crate::sql::dialect::{CountedColumns, Dialect, NOT_SQL, ProgramBody, Rejection};
use crate::sql::lexer::{LexerRules, tokens};

/// First words of statements that end a transaction; see the reference of MySQL, "Statements that cause an implicit
/// commit".
const IMPLICIT_COMMIT: [&str; 24] = [
    "alter",
    "analyze",
    "begin",
    "cache",
    "change",
    "check",
    "commit",
    "flush",
    "grant",
    "import",
    "install",
    "lock",
    "optimize",
    "purge",
    "rename",
    "repair",
    "reset",
    "revoke",
    "shutdown",
    "start",
    "stop",
    "truncate",
    "uninstall",
    "unlock",
];
#[derive(Debug)]
pub(crate) struct MySqlDialect;

impl Dialect for MySqlDialect {
    fn backend(&self) -> Backend {
        Backend::MySql
    }

    fn lexer(&self) -> &'static LexerRules {
        &lexer::RULES
    }

    fn program(&self, object: &str) -> Option<Box<dyn ProgramBody>> {
        match object {
            "TRIGGER" | "PROCEDURE" | "FUNCTION" | "EVENT" => Some(Box::new(Blocks::of_program())),
            "PACKAGE" => Some(Box::new(Blocks::of_block())),
            _ => None,
        }
    }

    fn defines_by(&self, word: &str) -> bool {
        matches!(word, "CREATE" | "ALTER")
    }

    /// MariaDB runs blocks outside of programs: `BEGIN NOT ATOMIC .. END`.
    fn block(&self, first: &str, second: &str) -> Option<Box<dyn ProgramBody>> {
        (first == "BEGIN" && second == "NOT").then(|| Box::new(Blocks::of_block()) as _)
    }

    fn refusal_help(&self, message: &str) -> Option<&'static str> {
        let help = "leave it out, or dump with `mysqldump --set-gtid-purged=OFF`";
        message.contains("GTID_PURGED").then_some(help)
    }

    fn reject(&self, text: &str) -> Option<Rejection> {
        let first = text.split_whitespace().next()?;
        if is(first, "USE") {
            return Some(Rejection {
                fact: "would leave the test's own database",
                help: "leave it out, or dump without `--databases`",
            });
        }
        (is(first, "SOURCE") || text.starts_with("\\.")).then_some(Rejection {
            fact: NOT_SQL,
            help: "only `mysql` knows it: put the files into one directory for `Schema::sql_dir`",
        })
    }

    /// Only `mysql` knows `DELIMITER`, but every dump with a procedure in it has some.
    fn delimiter<'a>(&self, text: &'a str) -> Option<(&'a str, usize)> {
        const WORD: &str = "DELIMITER";
        if !is(text.get(..WORD.len())?, WORD) {
            return None;
        }
        let line = text.lines().next()?;
        let rest = &line[WORD.len()..];
        let delimiter = rest.split_whitespace().next()?;
        rest.starts_with(char::is_whitespace)
            .then_some((delimiter, line.len()))
    }

    fn ends_transaction(&self, sql: &str) -> bool {
        sql.split(';').any(|statement| {
            let mut words = words(statement);
            let first = words.next().unwrap_or_default();
            let second = words.next().unwrap_or_default();
            if is(first, "rollback") {
                return !is(second, "to") && !words.next().is_some_and(|third| is(third, "to"));
            }
            match () {
                () if is(first, "create") || is(first, "drop") => !is(second, "temporary"),
                () if is(first, "load") => !is(second, "index"),
                () if is(first, "set") => is(second, "password") || sets_autocommit(statement),
                () => IMPLICIT_COMMIT.iter().any(|known| is(first, known)),
            }
        })
    }

    fn dirties_session(&self, sql: &str) -> bool {
        session_traces::may_leave(sql)
    }

    fn may_move_counters(&self, sql: &str, columns: &CountedColumns) -> bool {
        counters::may_move(sql, columns)
    }

    /// The index of InnoDB for words is written when rows are committed.
    fn searches_committed_rows(&self, sql: &str) -> bool {
        let mut has_match = false;
        tokens(sql, &lexer::RULES).any(|(_, token)| {
            has_match |= is(token, "match");
            has_match && is(token, "against")
        })
    }

    fn ddl_commits(&self) -> bool {
        true
    }
}

/// Whether one of the variables that a `SET` names is `autocommit`, and not a variable of the user.
fn sets_autocommit(statement: &str) -> bool {
    let (mut before, mut last) = ("", "");
    tokens(statement, &lexer::RULES).any(|(_, token)| {
        let is_of_user = last == "@" && before != "@";
        let is_it = is(token.trim_matches('`'), "autocommit") && !is_of_user;
        (before, last) = (last, token);
        is_it
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::classify::count_besides_savepoints;
    use crate::sql::split::tests::{expect_read_once, expect_rejected, expect_whole, texts_of};

    #[test]
    fn keeps_mysql_bodies_and_quotes_together() {
        expect_whole(
            &MySqlDialect,
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
        assert_eq!(texts_of(sql, &MySqlDialect), expected);
        let names = "SELECT delimiter FROM a; DELIMITERS; DELIMITER";
        assert_eq!(texts_of(names, &MySqlDialect).len(), 3);
    }

    #[test]
    fn refuses_what_is_not_for_the_server() {
        for (sql, line, text, help) in [
            ("-- x\nUSE shop;", 2, "USE shop", "--databases"),
            ("source a.sql\nSELECT 1;", 1, "source a.sql", "sql_dir"),
            (
                "COMMIT;\nSTART TRANSACTION; ROLLBACK TO x;",
                2,
                "START TRANSACTION",
                "COMMIT",
            ),
        ] {
            expect_rejected(&MySqlDialect, sql, line, text, help);
        }
    }

    #[test]
    fn knows_what_ends_a_transaction() {
        for statement in [
            "CREATE TABLE y (a int)",
            "/* c */ truncate u",
            "-- c\nCOMMIT",
            "ROLLBACK",
            "ROLLBACK WORK",
            "START TRANSACTION",
            "SET autocommit = 1",
            "SET @@autocommit = 1",
            "SET SESSION autocommit=ON",
            "set @a = 1, sql_mode = '', @@session.`autocommit` = DEFAULT",
            "LOCK TABLES u WRITE",
            "SELECT 1; COMMIT",
        ] {
            assert!(MySqlDialect.ends_transaction(statement), "{statement}");
        }
        for statement in [
            "CREATE TEMPORARY TABLE y (a int)",
            "ROLLBACK TO SAVEPOINT a",
            "rollback work to a",
            "INSERT INTO u VALUES ('commit')",
            "/* commit */ SELECT 1",
            "SET @a = 1",
            "SET @autocommit = 1, @b = 'autocommit'",
            "",
        ] {
            assert!(!MySqlDialect.ends_transaction(statement), "{statement}");
        }
    }

    #[test]
    fn knows_what_searches_committed_rows() {
        let search = "SELECT id FROM a WHERE match (`t`) AGAINST ('match' IN BOOLEAN MODE)";
        assert!(MySqlDialect.searches_committed_rows(search));
        for statement in [
            "SELECT 'match (t) against (1)'",
            "SELECT `match`, `against` FROM a",
            "SELECT against FROM a",
        ] {
            assert!(
                !MySqlDialect.searches_committed_rows(statement),
                "{statement}"
            );
        }
    }

    #[test]
    fn counts_the_statements_of_a_text() {
        for (text, count) in [
            ("SELECT 1", 1),
            (" SELECT ';'; /* ; */ DELETE FROM u; -- done", 2),
            ("RELEASE SAVEPOINT a; SAVEPOINT b; SELECT `;`", 1),
            ("ROLLBACK TO a; rollback work to a; ROLLBACK", 1),
            ("'it''s \\'; ' SELECT", 1),
            ("", 0),
        ] {
            assert_eq!(
                count_besides_savepoints(text, MySqlDialect.lexer()),
                count,
                "{text}"
            );
        }
    }

    #[test]
    fn a_long_text_is_read_once() {
        expect_read_once(&MySqlDialect);
    }
}
