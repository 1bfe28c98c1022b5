//! What is in SQL files and is not for the server: the commands of `psql`, `mysql` and `sqlite3`,
//! and what would leave the database of the tests.

use crate::backend::Backend;

/// Why a statement is refused before anything runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) line: usize,
    pub(crate) text: String,
    /// Reads after the statement, its text and its line.
    pub(crate) fact: &'static str,
    pub(crate) help: &'static str,
}

/// What to say of `text`, the first word of a statement and what follows, if it is none.
pub(crate) fn refused(text: &str, dialect: Backend) -> Option<(&'static str, &'static str)> {
    const NOT_SQL: &str = "is not SQL";
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is = |word: &str| first.eq_ignore_ascii_case(word);
    match dialect {
        Backend::Postgres if text.starts_with('\\') => Some((
            NOT_SQL,
            "only `psql` knows it: leave it out, the text is run on the test's own database",
        )),
        Backend::Postgres if is("COPY") && reads_what_follows(words) => Some((
            "is followed by rows that are not SQL",
            "write `INSERT`, or dump with `pg_dump --inserts`",
        )),
        Backend::MySql if is("USE") => Some((
            "would leave the test's own database",
            "leave it out, or dump without `--databases`",
        )),
        Backend::MySql if is("SOURCE") || text.starts_with("\\.") => Some((
            NOT_SQL,
            "only `mysql` knows it: put the files into one directory for `Schema::sql_dir`",
        )),
        Backend::Sqlite if text.starts_with('.') => Some((
            NOT_SQL,
            "only `sqlite3` knows it: leave it out, the text is run on the test's own database",
        )),
        _ => None,
    }
}

/// Whether the words after `COPY` end in `FROM stdin`, and options.
fn reads_what_follows<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    let words: Vec<_> = words.map(str::to_ascii_uppercase).collect();
    words.windows(2).any(|pair| pair == ["FROM", "STDIN"])
}

/// The length of a command of `psql` that changes nothing here: `pg_dump` puts its text between two of
/// them, so that nothing in it can command `psql`.
pub(crate) fn harmless(text: &str, dialect: Backend) -> Option<usize> {
    let known = ["\\restrict", "\\unrestrict"];
    let word = text.split_whitespace().next()?;
    (dialect == Backend::Postgres && known.contains(&word))
        .then(|| text.find('\n').unwrap_or(text.len()))
}

/// The delimiter that `text` begins to use, and the length of the line that says so.
///
/// Only `mysql` knows the line, but every dump with a procedure in it has some.
pub(crate) fn delimiter(text: &str, dialect: Backend) -> Option<(&str, usize)> {
    const WORD: &str = "DELIMITER";
    if dialect != Backend::MySql || !text.get(..WORD.len())?.eq_ignore_ascii_case(WORD) {
        return None;
    }
    let line = text.lines().next()?;
    let rest = &line[WORD.len()..];
    let delimiter = rest.split_whitespace().next()?;
    rest.starts_with(char::is_whitespace)
        .then_some((delimiter, line.len()))
}

/// Whether a statement begins a transaction, or ends one.
pub(crate) fn transaction(text: &str) -> Option<bool> {
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
