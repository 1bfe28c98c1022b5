//! The tokens of SQL text, as far as they can hide the end of a statement.

use sea_orm::DbBackend;

pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) length: usize,
}

pub(super) enum Kind {
    /// Nothing, for the database: space and comments.
    Blank,
    Word,
    Semicolon,
    /// Quoted text, numbers, signs.
    Other,
}

/// The first token of `text`, which is not empty.
pub(super) fn token(text: &str, dialect: DbBackend) -> Token {
    let (postgres, mysql) = (dialect == DbBackend::Postgres, dialect == DbBackend::MySql);
    let run = |is: fn(char) -> bool| text.find(|c| !is(c)).unwrap_or(text.len());
    let (kind, length) = match text.chars().next() {
        None => (Kind::Blank, 0),
        Some(c) if c.is_whitespace() => (Kind::Blank, run(char::is_whitespace)),
        Some('-') if is_line_comment(text, mysql) => (Kind::Blank, until(text, "\n", 2)),
        Some('#') if mysql => (Kind::Blank, until(text, "\n", 1)),
        // MySQL runs what is in this one.
        Some('/') if mysql && (text.starts_with("/*!") || text.starts_with("/*M!")) => {
            (Kind::Other, until(text, "*/", 2))
        }
        Some('/') if text.starts_with("/*") && postgres => (Kind::Blank, nested_comment(text)),
        Some('/') if text.starts_with("/*") => (Kind::Blank, until(text, "*/", 2)),
        Some(';') => (Kind::Semicolon, 1),
        Some(quote @ ('\'' | '"')) => (Kind::Other, quoted(text, quote, 1, mysql)),
        Some('e' | 'E') if postgres && text[1..].starts_with('\'') => {
            (Kind::Other, quoted(text, '\'', 2, true))
        }
        Some('`') => (Kind::Other, until(text, "`", 1)),
        Some('[') if dialect == DbBackend::Sqlite => (Kind::Other, until(text, "]", 1)),
        Some('$') if postgres => (Kind::Other, dollar_quoted(text)),
        Some(c) if is_word(c) => (Kind::Word, run(is_word)),
        Some(c) => (Kind::Other, c.len_utf8()),
    };
    Token { kind, length }
}

fn until(text: &str, end: &str, skip: usize) -> usize {
    text[skip..]
        .find(end)
        .map_or(text.len(), |found| skip + found + end.len())
}

/// MySQL wants a space after the dashes.
fn is_line_comment(text: &str, mysql: bool) -> bool {
    let after = text.strip_prefix("--").map(|rest| rest.chars().next());
    after.is_some_and(|next| !mysql || next.is_none_or(char::is_whitespace))
}

/// A doubled quote ends one token and begins the next, which comes to the same.
fn quoted(text: &str, quote: char, skip: usize, escapes: bool) -> usize {
    let mut characters = text[skip..].char_indices();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && escapes {
            characters.next();
        } else if c == quote {
            return skip + at + c.len_utf8();
        }
    }
    text.len()
}

fn nested_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let (open, close) = (rest.find("/*"), rest.find("*/"));
        match (open, close) {
            (Some(open), close) if close.is_none_or(|close| open < close) => {
                depth += 1;
                at += open + 2;
            }
            (_, Some(close)) => {
                depth -= 1;
                at += close + 2;
            }
            (_, None) => return text.len(),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The length of `$tag$ .. $tag$`, or of the sign alone.
fn dollar_quoted(text: &str) -> usize {
    let Some(end) = text[1..].find('$').map(|found| found + 2) else {
        return 1;
    };
    let tag = &text[..end];
    let name = &tag[1..end - 1];
    let is_tag = name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_tag { until(text, tag, end) } else { 1 }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
