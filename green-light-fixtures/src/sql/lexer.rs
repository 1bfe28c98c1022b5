//! The tokens of SQL text, as far as they can hide the end of a statement.

use std::iter;

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
    /// `/*!40101`, after which comes SQL that other databases take for a comment.
    Conditional,
    /// The end of that.
    ConditionalEnd,
    /// Quoted text, numbers, signs.
    Other,
}

impl Kind {
    /// Whether a conditional comment is open after this token, if `is_open` says so of the place before it.
    pub(crate) fn is_conditional_after(self, is_open: bool) -> bool {
        (is_open || self == Self::Conditional) && self != Self::ConditionalEnd
    }
}

/// How the tokens of a database differ from those that all have.
#[derive(Debug)]
pub(crate) struct LexerRules {
    /// `/* .. */` may stand in one.
    pub(crate) nested_comments: bool,
    /// `--` begins a comment only with a space after it.
    pub(crate) dashes_need_space: bool,
    /// `# ..`
    pub(crate) hash_comments: bool,
    /// What `/*! .. */` holds is run.
    pub(crate) conditional_comments: bool,
    /// `\'` does not end a text.
    pub(crate) backslash_escapes: bool,
    /// `E'..'`, in which `\'` does not end the text.
    pub(crate) escape_strings: bool,
    /// `$tag$ .. $tag$`
    pub(crate) dollar_quotes: bool,
    /// `` `name` ``
    pub(crate) backtick_names: bool,
    /// `[name]`
    pub(crate) bracket_names: bool,
}

/// A version that no server has: what is conditional on it is a comment.
const NEVER: u32 = 999_999;

/// The first token of `text`, which is not empty. `conditional` says whether a conditional comment is open.
pub(crate) fn token(text: &str, rules: &LexerRules, conditional: bool) -> Token {
    let run = |is: fn(char) -> bool| text.find(|c| !is(c)).unwrap_or(text.len());
    let conditional_comments = rules.conditional_comments;
    let (kind, length) = match text.chars().next() {
        None => (Kind::Blank, 0),
        Some(c) if c.is_whitespace() => (Kind::Blank, run(char::is_whitespace)),
        // What some editors begin a file with.
        Some(c @ '\u{feff}') => (Kind::Blank, c.len_utf8()),
        Some('-') if is_line_comment(text, rules) => (Kind::Blank, until(text, "\n", 2)),
        Some('#') if rules.hash_comments => (Kind::Blank, until(text, "\n", 1)),
        Some('*') if conditional && text.starts_with("*/") => (Kind::ConditionalEnd, 2),
        Some('/') if conditional_comments && text.starts_with("/*!") => {
            conditional_comment(text, 3)
        }
        Some('/') if conditional_comments && text.starts_with("/*M!") => {
            conditional_comment(text, 4)
        }
        Some('/') if text.starts_with("/*") && rules.nested_comments => {
            (Kind::Blank, nested_comment(text))
        }
        Some('/') if text.starts_with("/*") => (Kind::Blank, until(text, "*/", 2)),
        Some(';') => (Kind::Semicolon, 1),
        Some(quote @ ('\'' | '"')) => {
            (Kind::Other, quoted(text, quote, 1, rules.backslash_escapes))
        }
        Some('e' | 'E') if rules.escape_strings && text[1..].starts_with('\'') => {
            (Kind::Other, quoted(text, '\'', 2, true))
        }
        Some('`') if rules.backtick_names => (Kind::Other, until(text, "`", 1)),
        Some('[') if rules.bracket_names => (Kind::Other, until(text, "]", 1)),
        Some('$') if rules.dollar_quotes => (Kind::Other, dollar_quoted(text)),
        Some(c) if is_word(c) => (Kind::Word, run(is_word)),
        Some(c) => (Kind::Other, c.len_utf8()),
    };
    Token { kind, length }
}

/// The tokens of `sql` without what is blank. A quoted text is one token.
#[allow(dead_code, reason = "for migrations, and for some databases")]
pub(crate) fn tokens<'a>(
    sql: &'a str,
    rules: &'static LexerRules,
) -> impl Iterator<Item = (Kind, &'a str)> {
    let (mut rest, mut conditional) = (sql, false);
    let all = iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Token { kind, length } = token(rest, rules, conditional);
        conditional = kind.is_conditional_after(conditional);
        let text;
        (text, rest) = rest.split_at(length);
        Some((kind, text))
    });
    all.filter(|(kind, _)| *kind != Kind::Blank)
}

fn until(text: &str, end: &str, skip: usize) -> usize {
    text[skip..]
        .find(end)
        .map_or(text.len(), |found| skip + found + end.len())
}

fn is_line_comment(text: &str, rules: &LexerRules) -> bool {
    let after = text.strip_prefix("--").map(|rest| rest.chars().next());
    after.is_some_and(|next| !rules.dashes_need_space || next.is_none_or(char::is_whitespace))
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

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
