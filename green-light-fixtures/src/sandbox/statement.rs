//! Statements as messages show them.

/// The beginning of a statement, for a message.
pub(crate) fn shorten(statement: &str) -> String {
    const LENGTH: usize = 160;
    let statement = statement.trim();
    match statement.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}..", &statement[..end]),
        None => statement.to_owned(),
    }
}
