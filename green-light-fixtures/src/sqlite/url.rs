//! URLs of SQLite.

use std::path::Path;

use crate::url::DatabaseUrl;

/// A SQLite database in a file.
pub(crate) fn url_of_file(path: &Path) -> DatabaseUrl {
    let mut url = "sqlite://".to_owned();
    for c in path.to_string_lossy().chars() {
        match c {
            '%' => url.push_str("%25"),
            '?' => url.push_str("%3F"),
            '#' => url.push_str("%23"),
            c => url.push(c),
        }
    }
    DatabaseUrl {
        url,
        path: Some(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;

    #[test]
    fn a_file_is_found_whatever_its_name() {
        for path in ["/a/b.sqlite", "/a b/50% off?/#1 & c=d/é.sqlite", "/%41/%3F"] {
            let url = url_of_file(Path::new(path));
            let options: SqliteConnectOptions = url.expose().parse().unwrap();
            assert_eq!(options.get_filename(), Path::new(path));
            assert_eq!(url.path().as_deref(), Some(Path::new(path)));
        }
    }
}
