//! SQL text cut at each `;`, and into tokens, with no thought for the bodies of programs.

use std::iter;

use crate::backend::Backend;

use crate::sql::lexer::{Kind, Token, token};

/// What is between the `;` of `sql`, without what is blank and with no thought for bodies: what MySQL
/// runs one after the other.
pub(crate) fn pieces(sql: &str, dialect: Backend) -> impl Iterator<Item = &str> {
    let mut rest = sql;
    iter::from_fn(move || {
        let (mut end, mut is_blank, mut conditional) = (0, true, false);
        while end < rest.len() {
            let Token { kind, length } = token(&rest[end..], dialect, conditional);
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
                Kind::Conditional => conditional = true,
                Kind::ConditionalEnd => conditional = false,
                Kind::Blank | Kind::Word | Kind::Other => {}
            }
            is_blank &= kind == Kind::Blank;
            end += length;
        }
        let last = std::mem::take(&mut rest);
        (!is_blank).then_some(last)
    })
}

/// The tokens of `sql` without what is blank. A quoted text is one token.
pub(crate) fn tokens(sql: &str, dialect: Backend) -> impl Iterator<Item = &str> {
    let (mut rest, mut conditional) = (sql, false);
    let all = iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Token { kind, length } = token(rest, dialect, conditional);
        conditional = match kind {
            Kind::Conditional => true,
            Kind::ConditionalEnd => false,
            _ => conditional,
        };
        let text;
        (text, rest) = rest.split_at(length);
        Some((kind, text))
    });
    all.filter_map(|(kind, text)| (kind != Kind::Blank).then_some(text))
}
