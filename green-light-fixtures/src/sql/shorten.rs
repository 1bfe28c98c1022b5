//! A statement as messages show it.

/// The beginning of a statement, for a message.
pub(crate) fn shorten(statement: &str) -> String {
    const LENGTH: usize = 160;
    let statement = statement.trim();
    match statement.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}..", &statement[..end]),
        None => statement.to_owned(),
    }
}

/// The same on one line.
pub(crate) fn shorten_to_line(statement: &str) -> String {
    let words: Vec<_> = statement.split_whitespace().collect();
    shorten(&words.join(" "))
}
