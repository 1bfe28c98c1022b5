//! How many rows the database says a statement has changed, as far as its text alone decides that.

use crate::sql::dialect::Dialect;
use crate::sql::lexer::tokens;
use crate::sql::split::statements;

/// The number that the database answers `sql` with, if it depends on nothing that the database holds.
pub(crate) fn rows_affected(sql: &str, dialect: &'static dyn Dialect) -> Option<u64> {
    let all = statements(sql, dialect).ok()?;
    all.iter()
        .map(|statement| of_statement(statement.text, dialect))
        .sum()
}

fn of_statement(statement: &str, dialect: &'static dyn Dialect) -> Option<u64> {
    let mut tokens = tokens(statement, dialect.lexer()).map(|(_, token)| token);
    let first = tokens.next()?.to_ascii_uppercase();
    match &*first {
        "INSERT" => inserted(tokens),
        // What they change depends on the rows that are there.
        "UPDATE" | "DELETE" | "MERGE" | "REPLACE" | "WITH" | "SELECT" | "VALUES" | "TABLE"
        | "COPY" | "LOAD" | "CALL" | "EXEC" | "EXECUTE" | "(" | "HANDLER" => None,
        // Definitions and settings.
        _ => Some(0),
    }
}

/// The rows of `INSERT INTO t (..) VALUES (..), (..)`, of whose tokens the first has been read.
fn inserted<'a>(tokens: impl Iterator<Item = &'a str>) -> Option<u64> {
    let (mut depth, mut rows, mut before) = (0_usize, None, String::new());
    for token in tokens {
        match token {
            "(" => {
                if depth == 0
                    && let Some(rows) = &mut rows
                {
                    *rows += 1;
                }
                depth += 1;
            }
            ")" => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ => {
                let word = token.to_ascii_uppercase();
                match &*word {
                    "VALUES" | "VALUE" if before == "DEFAULT" => return Some(1),
                    "VALUES" | "VALUE" => rows = Some(0),
                    // Rows that are there, or those of a query, decide.
                    "OR" | "IGNORE" | "ON" | "SELECT" | "WITH" | "TABLE" | "SET" | "RETURNING" => {
                        return None;
                    }
                    _ => {}
                }
                before = word;
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mysql::dialect::MySqlDialect;
    use crate::postgres::dialect::PostgresDialect;
    use crate::sqlite::dialect::SqliteDialect;

    const DIALECTS: [&dyn Dialect; 3] = [&SqliteDialect, &PostgresDialect, &MySqlDialect];

    #[test]
    fn are_known_of_definitions_and_of_rows_that_are_in_the_text() {
        for (sql, rows) in [
            ("CREATE TABLE a (x INT)", 0),
            ("CREATE TABLE a (x INT); INSERT INTO a VALUES (1), (2);", 2),
            (
                "insert into \"values\" (id, value) values (1, (2)), (3, f(4)), (5, 'ON')",
                3,
            ),
            ("INSERT INTO a DEFAULT VALUES", 1),
            ("ALTER TABLE a ADD COLUMN y INT", 0),
            ("-- UPDATE\nDROP TABLE a", 0),
        ] {
            for dialect in DIALECTS {
                assert_eq!(rows_affected(sql, dialect), Some(rows), "{sql}");
            }
        }
    }

    #[test]
    fn are_not_known_where_rows_of_the_database_decide() {
        for sql in [
            "UPDATE a SET x = 1",
            "CREATE TABLE a (x INT); DELETE FROM a",
            "INSERT INTO a SELECT * FROM b",
            "INSERT OR IGNORE INTO a VALUES (1)",
            "INSERT IGNORE INTO a VALUES (1)",
            "INSERT INTO a VALUES (1) ON CONFLICT DO NOTHING",
            "INSERT INTO a VALUES (1) ON DUPLICATE KEY UPDATE x = 2",
            "WITH b AS (SELECT 1) INSERT INTO a SELECT * FROM b",
            "REPLACE INTO a VALUES (1)",
            "SELECT setval('a_id_seq', 3)",
        ] {
            for dialect in DIALECTS {
                assert_eq!(rows_affected(sql, dialect), None, "{sql}");
            }
        }
        assert_eq!(
            rows_affected("INSERT INTO a VALUES (1) \\gset", &PostgresDialect),
            None
        );
    }
}
