//! Where a database is: a URL whose password never reaches a screen.
//!
//! `Display` and `Debug` are redacted; `expose` is the one way to the text itself.

use std::fmt;
use std::path::Path;

use green_light_core::redacted_url;

/// The address of a test's database.
///
/// `Display` and `Debug` show `***` in place of a password; [`expose`](Self::expose) gives the URL
/// a driver needs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// A SQLite database in a file.
    pub(crate) fn of_file(path: &Path) -> Self {
        let mut url = "sqlite://".to_owned();
        for c in path.to_string_lossy().chars() {
            match c {
                '%' => url.push_str("%25"),
                '?' => url.push_str("%3F"),
                '#' => url.push_str("%23"),
                c => url.push(c),
            }
        }
        Self(url)
    }

    /// The same server, role and parameters, with another database.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    pub(crate) fn with_database(&self, name: &str) -> Self {
        let (address, query) = match self.0.split_once('?') {
            Some((address, query)) => (address, format!("?{query}")),
            None => (&*self.0, String::new()),
        };
        let authority = address.find("://").map_or(0, |at| at + 3);
        let end = address[authority..]
            .find('/')
            .map_or(address.len(), |at| authority + at);
        Self(format!("{}/{name}{query}", &address[..end]))
    }

    /// The URL as it is, password included: for a driver, not for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted_url(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// `text` as it may stand in a parameter of a URL.
#[cfg(feature = "_server")]
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "_server")]
    fn encodes_what_would_end_a_parameter() {
        assert_eq!(encode("/a dir/é&x=1"), "/a%20dir/%C3%A9%26x%3D1");
    }

    #[test]
    #[cfg(feature = "postgres")]
    fn another_database_of_the_same_server() {
        for (url, other) in [
            ("postgres://a:b%2F@h:1/x", "postgres://a:b%2F@h:1/new"),
            (
                "postgres://a@h?host=/sock/et",
                "postgres://a@h/new?host=/sock/et",
            ),
            ("postgres:///x?user=a", "postgres:///new?user=a"),
        ] {
            assert_eq!(DatabaseUrl::new(url).with_database("new").expose(), other);
        }
    }

    #[test]
    #[cfg(feature = "sqlite")]
    fn a_file_is_found_whatever_its_name() {
        use sqlx::sqlite::SqliteConnectOptions;

        for path in ["/a/b.sqlite", "/a b/50% off?/#1 & c=d/é.sqlite", "/%41/%3F"] {
            let url = DatabaseUrl::of_file(Path::new(path));
            let options: SqliteConnectOptions = url.expose().parse().unwrap();
            assert_eq!(options.get_filename(), Path::new(path));
        }
    }

    #[test]
    fn shows_no_password() {
        for (url, shown) in [
            ("sqlite::memory:", "sqlite::memory:"),
            (
                "postgres://app@localhost/app",
                "postgres://app@localhost/app",
            ),
            (
                "postgres://app:hunter2@localhost/app",
                "postgres://app:***@localhost/app",
            ),
            (
                "mysql://app:p@ss:w/rd@db:3306/x",
                "mysql://app:***@db:3306/x",
            ),
            (
                "postgres:///app?user=a&password=hunter2",
                "postgres:///app?user=a&password=***",
            ),
            (
                "sqlite://f.db?key=hunter2&mode=ro",
                "sqlite://f.db?key=***&mode=ro",
            ),
        ] {
            let url = DatabaseUrl::new(url);
            assert_eq!(url.to_string(), shown);
            assert!(!format!("{url:?}").contains("hunter2"));
        }
    }
}
