//! SQL text cut into statements, so that the one that fails can be named with its line.
//!
//! Only what can hide a `;` is understood: quotes, comments, and the bodies of triggers, procedures
//! and functions. Everything else is the database's to judge, except for what is not meant for it: the
//! commands of a database's own command line program. What the dump programs write is understood.

use std::iter;

use crate::sql::dialect::{Dialect, Rejection};
use crate::sql::lexer::{Kind, LexerRules, Token, token};
use crate::sql::program_body::StatementReader;

/// One statement and the line of the text on which it begins, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    pub(crate) line: usize,
    pub(crate) text: &'a str,
}

/// Why a text is refused before any of it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) line: usize,
    /// The beginning of the statement.
    pub(crate) text: String,
    /// Reads after the statement, its text and its line.
    pub(crate) fact: &'static str,
    pub(crate) help: &'static str,
}

/// The statements of `sql`, without the empty ones.
pub(crate) fn statements<'a>(
    sql: &'a str,
    dialect: &'static dyn Dialect,
) -> Result<Vec<Statement<'a>>, Rejected> {
    let mut splitter = Splitter {
        sql,
        dialect,
        found: Vec::new(),
        counted: 0,
        line: 1,
        transaction: None,
    };
    let mut at = 0;
    while let Some(start) = splitter.begin(at) {
        at = match dialect.delimiter(&sql[start..]) {
            Some((delimiter, length)) => splitter.delimited(delimiter, start + length)?,
            None => splitter.statement(start)?,
        };
    }
    match splitter.transaction {
        None => Ok(splitter.found),
        Some(Statement { line, text }) => Err(Rejected {
            line,
            text: text.to_owned(),
            fact: "begins a transaction that the text does not end",
            help: "write `COMMIT` at its end; a template has committed rows only",
        }),
    }
}

struct Splitter<'a> {
    sql: &'a str,
    dialect: &'static dyn Dialect,
    found: Vec<Statement<'a>>,
    /// Up to where lines have been counted, and how many.
    counted: usize,
    line: usize,
    /// The statement that has begun the transaction that is open.
    transaction: Option<Statement<'a>>,
}

impl<'a> Splitter<'a> {
    /// Where the next statement begins, from `at` on: comments before it are not part of it.
    fn begin(&self, mut at: usize) -> Option<usize> {
        while at < self.sql.len() {
            let rest = &self.sql[at..];
            let Token { kind, length } = token(rest, self.dialect.lexer(), false);
            at += match (kind, self.dialect.ignorable(rest)) {
                (Kind::Blank | Kind::Semicolon, _) => length,
                (_, Some(length)) => length,
                _ => return Some(at),
            };
        }
        None
    }

    /// Takes the statement that begins at `start` and ends with a `;`. Where the next one may begin.
    fn statement(&mut self, start: usize) -> Result<usize, Rejected> {
        let (sql, dialect) = (self.sql, self.dialect);
        let mut statement = StatementReader::new(dialect);
        let mut conditional = false;
        let mut at = start;
        while at < sql.len() {
            let Token { kind, length } = token(&sql[at..], dialect.lexer(), conditional);
            let end = at + length;
            let text = &sql[at..end];
            conditional = kind.is_conditional_after(conditional);
            match kind {
                Kind::Blank | Kind::Conditional | Kind::ConditionalEnd => {}
                Kind::Semicolon if !conditional && statement.semicolon() => {
                    self.push(start, at)?;
                    return Ok(end);
                }
                Kind::Semicolon => {}
                Kind::Word => statement.word(text),
                // No quote is open, so no database could read it.
                Kind::Other if text == "\\" && dialect.reject(&sql[at..]).is_some() => {
                    self.push(at, sql.len())?;
                }
                Kind::Other => statement.other(text),
            }
            at = end;
        }
        self.push(start, sql.len())?;
        Ok(sql.len())
    }

    /// Takes the statements that end with `delimiter`, up to the line that changes it. Where that ends.
    fn delimited(&mut self, delimiter: &str, mut at: usize) -> Result<usize, Rejected> {
        let (sql, dialect) = (self.sql, self.dialect);
        if delimiter == ";" {
            return Ok(at);
        }
        while let Some(start) = self.begin(at) {
            if dialect.delimiter(&sql[start..]).is_some() {
                return Ok(start);
            }
            let mut end = start;
            let mut conditional = false;
            while end < sql.len() && !sql[end..].starts_with(delimiter) {
                let Token { kind, length } = token(&sql[end..], dialect.lexer(), conditional);
                conditional = kind.is_conditional_after(conditional);
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

    fn push(&mut self, start: usize, end: usize) -> Result<(), Rejected> {
        if let Some(rejected) = self.rejected(start, end) {
            return Err(rejected);
        }
        let text = self.sql[start..end].trim_end();
        if !text.is_empty() {
            let line = self.line_of(start);
            let statement = Statement { line, text };
            match transaction(text) {
                Some(true) => self.transaction = Some(statement),
                Some(false) => self.transaction = None,
                None => {}
            }
            self.found.push(statement);
        }
        Ok(())
    }

    fn rejected(&mut self, start: usize, end: usize) -> Option<Rejected> {
        let text = &self.sql[start..end];
        let Rejection { fact, help } = self.dialect.reject(text)?;
        Some(Rejected {
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

/// What is between the `;` of `sql`, without what is blank, also in the bodies of programs: what a server runs one
/// after the other.
pub(crate) fn pieces<'a>(
    sql: &'a str,
    rules: &'static LexerRules,
) -> impl Iterator<Item = &'a str> {
    let mut rest = sql;
    iter::from_fn(move || {
        let (mut end, mut is_blank, mut conditional) = (0, true, false);
        while end < rest.len() {
            let Token { kind, length } = token(&rest[end..], rules, conditional);
            match kind {
                Kind::Semicolon if is_blank => {
                    rest = &rest[end + length..];
                    end = 0;
                    continue;
                }
                Kind::Semicolon => {
                    let (piece, others) = rest.split_at(end);
                    rest = &others[length..];
                    return Some(piece);
                }
                _ => conditional = kind.is_conditional_after(conditional),
            }
            is_blank &= kind == Kind::Blank;
            end += length;
        }
        let last = std::mem::take(&mut rest);
        (!is_blank).then_some(last)
    })
}

/// Whether a statement begins a transaction, or ends one.
fn transaction(text: &str) -> Option<bool> {
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    let mut next = || words.next().unwrap_or_default().to_ascii_uppercase();
    match (&*next(), &*next()) {
        // A block of MariaDB.
        ("BEGIN", "NOT") => None,
        ("BEGIN", _) | ("START", "TRANSACTION") => Some(true),
        ("ROLLBACK", "TO") => None,
        ("COMMIT" | "END" | "ROLLBACK", _) => Some(false),
        _ => None,
    }
}

/// What the tests of each dialect share.
#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[track_caller]
    pub(crate) fn texts_of<'a>(
        sql: &'a str,
        dialect: &'static dyn Dialect,
    ) -> Vec<(usize, &'a str)> {
        let found = statements(sql, dialect).unwrap();
        found.into_iter().map(|s| (s.line, s.text)).collect()
    }

    #[track_caller]
    pub(crate) fn expect_whole(dialect: &'static dyn Dialect, statements: &[&str]) {
        for statement in statements {
            let sql = format!("{statement};\nSELECT 1;");
            let line = 2 + statement.matches('\n').count();
            let expected = [(1, *statement), (line, "SELECT 1")];
            assert_eq!(texts_of(&sql, dialect), expected);
        }
    }

    #[track_caller]
    pub(crate) fn expect_rejected(
        dialect: &'static dyn Dialect,
        sql: &str,
        line: usize,
        text: &str,
        help: &str,
    ) {
        let rejected = statements(sql, dialect).unwrap_err();
        assert_eq!((rejected.line, rejected.text.as_str()), (line, text));
        assert!(rejected.help.contains(help), "{rejected:?}");
    }

    /// Each statement costs what is in it, not what comes before.
    pub(crate) fn expect_read_once(dialect: &'static dyn Dialect) {
        let sql = "INSERT INTO a VALUES (1, 'x$y'); /* c */\n".repeat(20_000);
        assert_eq!(statements(&sql, dialect).unwrap()[19_999].line, 20_000);
    }
}
