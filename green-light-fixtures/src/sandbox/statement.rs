//! Statements as messages show them.

/// Whether a text has a word that ends a transaction, quoted or not.
pub(crate) fn ends_transactions(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|word| {
            ["commit", "end", "rollback", "abort"]
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
        })
}

/// The beginning of a statement, for a message.
pub(crate) fn shorten(statement: &str) -> String {
    const LENGTH: usize = 160;
    let statement = statement.trim();
    match statement.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}..", &statement[..end]),
        None => statement.to_owned(),
    }
}
