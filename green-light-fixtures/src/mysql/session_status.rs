//! What a session of MySQL answers about itself.

use sqlx::{Row as _, mysql::MySqlRow};

/// The one text of a row.
pub(crate) fn text(row: &MySqlRow) -> Result<String, sqlx::Error> {
    row.try_get_unchecked(0)
}

/// What a session answered that was asked for counters.
pub(crate) fn counters(rows: &[MySqlRow]) -> Result<Vec<(String, u64)>, sqlx::Error> {
    rows.iter()
        .map(|row| {
            let name = text(row)?.to_ascii_lowercase();
            let value: String = row.try_get_unchecked(1)?;
            let name = name.strip_prefix("com_").unwrap_or(&name).to_owned();
            Ok((name, value.parse().unwrap_or(u64::MAX)))
        })
        .collect()
}
