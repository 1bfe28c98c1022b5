//! Passwords beside a word that says so: in the `Debug` of options, in connection strings, in SQL.

use std::ops::Range;

use crate::report::redact::spans::{backslashes, end_of_line, end_of_literal, is_outside_of_word};

/// Words for a password. What has one in its name is one.
const WORDS: [&str; 5] = ["password", "passwd", "pwd", "passphrase", "secret"];
/// How SQLite and its relatives call the key of an encrypted file, as a pragma.
const KEYS: [&str; 4] = ["\"key", "\"hexkey", "\"rekey", "\"textkey"];
/// What a connection string has besides a password.
const CONNECTION: [&str; 8] = [
    "host=",
    "host =",
    "hostaddr=",
    "dbname=",
    "dbname =",
    "server=",
    "data source=",
    "database=",
];

/// The next value of a field in the `Debug` of a struct or a map that is called a password.
pub(crate) fn struct_field(text: &str, from: usize) -> Option<Range<usize>> {
    let words = WORDS.iter().chain(&KEYS);
    let found = words.filter_map(|word| {
        let mut from = from;
        loop {
            let at = find_word(text, from, word)?;
            if let Some(value) = debug_value(text, at) {
                return Some(value);
            }
            from = at;
        }
    });
    found.min_by_key(|found| found.start)
}

/// The value of a field whose name goes on at `at`: a literal or a list, in `Some` or not.
fn debug_value(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text[at..].trim_start_matches(|c: char| c.is_alphanumeric() || "_\\\"".contains(c));
    let rest = rest.strip_prefix(": ")?;
    let rest = match rest.strip_prefix("Some(") {
        Some(some) => some.trim_start(),
        None => rest,
    };
    let begin = text.len() - rest.len();
    if rest.starts_with('[') {
        let end = text[begin..]
            .find(']')
            .map_or(text.len(), |end| begin + end);
        return Some(begin + 1..end);
    }
    let depth = rest.len() - rest.trim_start_matches('\\').len();
    let begin = rest[depth..]
        .starts_with('"')
        .then_some(begin + depth + 1)?;
    Some(begin..end_of_literal(text, begin, depth).unwrap_or(text.len()))
}

/// The next value of `password=` in a connection string, of `--password=`, or of a variable such as `PGPASSWORD=`.
pub(crate) fn variable(text: &str, from: usize) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let is_connection = CONNECTION.iter().any(|part| lower.contains(part));
    let found = WORDS.iter().filter_map(|word| {
        let mut from = from;
        loop {
            let at = find_word(text, from, word)?;
            from = at;
            let rest = text[at..].trim_start_matches(' ');
            let Some(rest) = rest.strip_prefix('=') else {
                continue;
            };
            let is_alone = is_variable(&text[..at - word.len()], &text[at - word.len()..at]);
            if !is_connection && !is_alone {
                continue;
            }
            let rest = rest.trim_start_matches(' ');
            return Some(value(text, text.len() - rest.len()));
        }
    });
    found.min_by_key(|found| found.start)
}

/// Whether `word` behind `before` is that of an option or of a variable of the environment.
fn is_variable(before: &str, word: &str) -> bool {
    before.ends_with("--")
        || word.chars().all(|c| c.is_ascii_uppercase())
            && before.ends_with(|c: char| c == '_' || c.is_ascii_uppercase())
}

/// The value that begins at `begin`, as connection strings write it: quoted, or up to a blank or a semicolon.
fn value(text: &str, begin: usize) -> Range<usize> {
    let line = end_of_line(text, begin);
    let rest = &text[begin..line];
    let Some(quote) = rest.chars().next().filter(|c| "'\"{".contains(*c)) else {
        let mut escaped = false;
        let end = rest.find(|c: char| {
            let ends = !escaped && (c.is_whitespace() || ";&\"`".contains(c));
            escaped = c == '\\' && !escaped;
            ends
        });
        return begin..end.map_or(line, |end| begin + end);
    };
    let begin = begin + 1;
    begin..end_of_quoted(text, begin, line, if quote == '{' { '}' } else { quote })
}

/// Where quoted text ends that goes on at `begin`. A mark of the text itself is doubled, or has a backslash.
fn end_of_quoted(text: &str, begin: usize, limit: usize, quote: char) -> usize {
    let mut from = begin;
    while let Some(at) = text[from..limit].find(quote).map(|at| from + at) {
        let after = at + 1;
        let is_doubled = text[after..limit].starts_with(quote);
        if is_doubled {
            from = after + 1;
        } else if backslashes(&text[begin..], at - begin) > 0 || !is_outside_of_word(text, after) {
            from = after;
        } else {
            return at;
        }
    }
    limit
}

/// The next password in SQL: behind `PASSWORD` or `IDENTIFIED BY`, where a role or a user is made or changed.
pub(crate) fn sql_password(text: &str, from: usize) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let is_sql = ["create ", "alter ", "set ", "grant "]
        .iter()
        .any(|verb| lower.contains(verb));
    if !is_sql {
        return None;
    }
    let mut words = vec!["password"];
    if lower.contains("identified") {
        words.extend([" by", " as", " using"]);
    }
    let found = words.into_iter().filter_map(|word| {
        let mut from = from;
        loop {
            let at = find_word(text, from, word)?;
            from = at;
            if let Some(literal) = sql_literal(text, at) {
                return Some(literal);
            }
        }
    });
    found.min_by_key(|found| found.start)
}

/// What is in the literal of SQL that comes next behind `at`, if one does.
fn sql_literal(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text[at..].trim_start_matches(|c: char| c.is_whitespace() || "=(".contains(c));
    let rest = rest.strip_prefix(['E', 'e', 'N', 'n']).unwrap_or(rest);
    let begin = text.len() - rest.len();
    if let Some(tagged) = rest.strip_prefix('$') {
        let tag = &rest[..tagged.find('$')? + 2];
        let begin = begin + tag.len();
        let end = text[begin..]
            .find(tag)
            .map_or(text.len(), |end| begin + end);
        return Some(begin..end);
    }
    let quote = rest.chars().next().filter(|c| "'\"".contains(*c))?;
    Some(begin + 1..end_of_quoted(text, begin + 1, text.len(), quote))
}

/// Where the first `word` at `from` or later ends, in small letters or not.
fn find_word(text: &str, from: usize, word: &str) -> Option<usize> {
    let bytes = &text.as_bytes()[from..];
    let mut windows = bytes.windows(word.len());
    let at = windows.position(|found| found.eq_ignore_ascii_case(word.as_bytes()))?;
    Some(from + at + word.len())
}
