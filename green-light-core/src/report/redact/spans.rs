//! Parts of a text that are not shown, and where quoted text ends.

use std::{borrow::Cow, ops::Range};

/// The text in place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// Replaces every part of `text` that `find` finds. It is given the text and where to begin.
pub(crate) fn hide(
    text: Cow<'_, str>,
    find: impl Fn(&str, usize) -> Option<Range<usize>>,
) -> Cow<'_, str> {
    let Some(first) = find(&text, 0) else {
        return text;
    };
    let mut shown = String::with_capacity(text.len());
    let (mut from, mut secret) = (0, Some(first));
    while let Some(Range { start, end }) = secret {
        shown.push_str(&text[from..start]);
        shown.push_str(HIDDEN);
        from = end;
        // An empty one would be found again.
        let next = text[from..].chars().next().filter(|_| start == end);
        let next = from + next.map_or(0, char::len_utf8);
        secret = find(&text, next).filter(|secret| secret.end > end);
    }
    shown.push_str(&text[from..]);
    Cow::Owned(shown)
}

/// How many backslashes stand right before `at`.
pub(crate) fn backslashes(text: &str, at: usize) -> usize {
    let before = text[..at].bytes().rev();
    before.take_while(|byte| *byte == b'\\').count()
}

/// Where a text ends that is written as a Rust literal and begins at `from`, behind its quotation mark.
///
/// Within the literal of another one, each mark has `depth` backslashes, and one that belongs to the text has more.
pub(crate) fn end_of_literal(text: &str, from: usize, depth: usize) -> Option<usize> {
    let marks = text[from..].match_indices('"').map(|(at, _)| from + at);
    let mut ends =
        marks.filter(|at| backslashes(&text[from..], at - from) % (2 * (depth + 1)) == depth);
    ends.next().map(|at| at - depth)
}

/// Where the line ends that goes on at `from`.
pub(crate) fn end_of_line(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at)
}

/// Whether a word ends before `at`.
pub(crate) fn is_outside_of_word(text: &str, at: usize) -> bool {
    text[at..]
        .chars()
        .next()
        .is_none_or(|c| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_end_at_a_mark_of_their_own() {
        for (text, depth, end) in [
            (r#"a" b"#, 0, Some(1)),
            (r#"a\"b" c"#, 0, Some(4)),
            (r#"a\\" b"#, 0, Some(3)),
            (r#"a\" b"#, 1, Some(1)),
            (r#"a\\\"b\" c"#, 1, Some(6)),
            ("a", 0, None),
        ] {
            assert_eq!(end_of_literal(text, 0, depth), end, "{text}");
        }
    }
}
