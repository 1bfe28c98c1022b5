//! The tokens of SQL text, as far as they can hide the end of a statement.

use crate::backend::Backend;

pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing, for the database: space and comments.
    Blank,
    Word,
    Semicolon,
    /// `/*!40101`, after which MySQL runs what other databases take for a comment.
    Conditional,
    /// The end of that.
    ConditionalEnd,
    /// Quoted text, numbers, signs.
    Other,
}

/// A version that no server has: what is conditional on it is a comment.
const NEVER: u32 = 999_999;

/// The first token of `text`, which is not empty. `conditional` says whether a conditional comment is open.
pub(crate) fn token(text: &str, dialect: Backend, conditional: bool) -> Token {
    let (postgres, mysql) = (dialect == Backend::Postgres, dialect == Backend::MySql);
    let run = |is: fn(char) -> bool| text.find(|c| !is(c)).unwrap_or(text.len());
    let (kind, length) = match text.chars().next() {
        None => (Kind::Blank, 0),
        Some(c) if c.is_whitespace() => (Kind::Blank, run(char::is_whitespace)),
        // What some editors begin a file with.
        Some(c @ '\u{feff}') => (Kind::Blank, c.len_utf8()),
        Some('-') if is_line_comment(text, mysql) => (Kind::Blank, until(text, "\n", 2)),
        Some('#') if mysql => (Kind::Blank, until(text, "\n", 1)),
        Some('*') if conditional && text.starts_with("*/") => (Kind::ConditionalEnd, 2),
        Some('/') if mysql && text.starts_with("/*!") => conditional_comment(text, 3),
        Some('/') if mysql && text.starts_with("/*M!") => conditional_comment(text, 4),
        Some('/') if text.starts_with("/*") && postgres => (Kind::Blank, nested_comment(text)),
        Some('/') if text.starts_with("/*") => (Kind::Blank, until(text, "*/", 2)),
        Some(';') => (Kind::Semicolon, 1),
        Some(quote @ ('\'' | '"')) => (Kind::Other, quoted(text, quote, 1, mysql)),
        Some('e' | 'E') if postgres && text[1..].starts_with('\'') => {
            (Kind::Other, quoted(text, '\'', 2, true))
        }
        Some('`') if !postgres => (Kind::Other, until(text, "`", 1)),
        Some('[') if dialect == Backend::Sqlite => (Kind::Other, until(text, "]", 1)),
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

/// Its content is SQL, so only its beginning is one token.
fn conditional_comment(text: &str, skip: usize) -> (Kind, usize) {
    let digits = text[skip..].bytes().take_while(u8::is_ascii_digit).count();
    let end = skip + digits;
    match text[skip..end].parse::<u32>() {
        Ok(NEVER..) => (Kind::Blank, until(text, "*/", end)),
        _ => (Kind::Conditional, end),
    }
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
        let close = rest.find("*/");
        // No further than the end, or a text with many comments is read again for each.
        let open = rest[..close.unwrap_or(rest.len())].find("/*");
        match (open, close) {
            (Some(open), _) => {
                depth += 1;
                at += open + 2;
            }
            (None, Some(close)) => {
                depth -= 1;
                at += close + 2;
            }
            (None, None) => return text.len(),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The length of `$tag$ .. $tag$`, or of the sign alone.
fn dollar_quoted(text: &str) -> usize {
    let name = text[1..]
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len() - 1);
    let tag = &text[..=name];
    if !text[tag.len()..].starts_with('$') || tag[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return 1;
    }
    let tag = &text[..tag.len() + 1];
    until(text, tag, tag.len())
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
