//! What the words of a statement say about it.

use crate::sql::lexer::LexerRules;
use crate::sql::split::pieces;

/// Whether a text has a statement that may change what other statements return.
pub(crate) fn defines(text: &str) -> bool {
    text.split(';').any(|statement| {
        let first = words(statement).next().unwrap_or_default();
        ["alter", "call", "create", "do", "drop"]
            .iter()
            .any(|known| is(first, known))
    })
}

/// How many statements of a text are not about savepoints.
pub(crate) fn count_besides_savepoints(text: &str, rules: &'static LexerRules) -> u64 {
    let others = pieces(text, rules).filter(|piece| !is_about_savepoints(piece));
    others.map(|_| 1).sum()
}

/// Whether a statement sets a savepoint, releases it or goes back to it.
pub(crate) fn is_about_savepoints(statement: &str) -> bool {
    let mut words = words(statement);
    let first = words.next().unwrap_or_default();
    match () {
        () if is(first, "rollback") => words.take(2).any(|word| is(word, "to")),
        () => is(first, "savepoint") || is(first, "release"),
    }
}

/// The first word of a statement, without the comments before it.
pub(crate) fn first_word(statement: &str) -> &str {
    words(statement).next().unwrap_or_default()
}

/// The words of a statement, without the comments before it.
pub(crate) fn words(statement: &str) -> impl Iterator<Item = &str> {
    let mut rest = statement.trim_start();
    loop {
        // What such a comment says is run.
        let is_run = rest.starts_with("/*!") || rest.starts_with("/*M!");
        let end = if rest.starts_with("/*") && !is_run {
            rest.find("*/").map(|end| end + 2)
        } else if rest.starts_with("--") || rest.starts_with('#') {
            rest.find('\n')
        } else {
            break;
        };
        rest = end.map_or("", |end| rest[end..].trim_start());
    }
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

pub(crate) fn is(word: &str, known: &str) -> bool {
    word.eq_ignore_ascii_case(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_defines_something() {
        for statement in ["alter table u add a int", "SELECT 1; /* c */ DROP TABLE u"] {
            assert!(defines(statement), "{statement}");
        }
        for statement in ["SELECT 'create'", "INSERT INTO u VALUES (1)", ""] {
            assert!(!defines(statement), "{statement}");
        }
    }
}
