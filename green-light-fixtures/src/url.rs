//! Where a database is: a URL that connects in whatever form it is passed on.
//!
//! `Display` is the URL as it is, so that `to_string()` and `format!` give what a driver needs. What
//! green-light itself prints is [`DatabaseUrl::redacted`], and `Debug` is that too.

use std::{
    borrow::Cow,
    fmt,
    ops::Deref,
    path::{Path, PathBuf},
};

use green_light_core::redacted_url;

/// The address of a test's database.
///
/// It is used as a `&str` or a `String`: `&*url`, `url.as_ref()`, `url.to_string()`, `url.into()` and
/// `format!("{url}")` are all the URL that connects, password included. `Debug` and
/// [`redacted`](Self::redacted) show `***` in place of a password; use those in a log.
///
/// A URL of PostgreSQL is understood by libpq, and so by psql and diesel, by tokio-postgres and by sqlx:
/// a server that green-light started is at `postgres://postgres@%2Fdirectory:5432/name`, which is a
/// directory of sockets. One of MySQL has `?socket=path`, as sqlx reads it. For
/// drivers that open a file of SQLite there is [`path`](Self::path).
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

    /// The same address in words that every driver of PostgreSQL understands, not sqlx alone.
    #[cfg(feature = "postgres")]
    pub(crate) fn for_postgres_drivers(&self) -> Self {
        let Some((address, query)) = self.0.split_once('?') else {
            return self.clone();
        };
        let mut address = address.to_owned();
        let (mut parameters, mut options) = (Vec::new(), Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let name = decode(name);
            let name = match &*name {
                "statement-cache-capacity" => continue,
                "host" if decode(value).starts_with('/') => {
                    address = with_host(&address, &encode_host(&decode(value)));
                    continue;
                }
                "options" => {
                    options.push(decode(value).into_owned());
                    continue;
                }
                "ssl-mode" => "sslmode",
                "ssl-root-cert" | "ssl-ca" => "sslrootcert",
                "ssl-cert" => "sslcert",
                "ssl-key" => "sslkey",
                name => match name
                    .strip_prefix("options[")
                    .and_then(|name| name.strip_suffix(']'))
                {
                    Some(setting) => {
                        options.push(format!("-c {setting}={}", decode(value)));
                        continue;
                    }
                    None => name,
                },
            };
            parameters.push(format!("{name}={value}"));
        }
        if !options.is_empty() {
            parameters.push(format!("options={}", encode(&options.join(" "))));
        }
        Self(match parameters.is_empty() {
            true => address,
            false => format!("{address}?{}", parameters.join("&")),
        })
    }

    /// The same address without what sqlx alone understands.
    #[cfg(feature = "mysql")]
    pub(crate) fn for_mysql_drivers(&self) -> Self {
        let Some((address, query)) = self.0.split_once('?') else {
            return self.clone();
        };
        let known: Vec<_> = query
            .split('&')
            .filter(|parameter| !parameter.starts_with("statement-cache-capacity="))
            .collect();
        Self(match known.is_empty() {
            true => address.to_owned(),
            false => format!("{address}?{}", known.join("&")),
        })
    }

    /// The parameters behind `?`, without percent signs that stand for something.
    #[cfg(feature = "_server")]
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .filter_map(|parameter| parameter.split_once('='))
            .map(|(name, value)| (decode(name), decode(value)))
    }

    /// The URL as it is, password included: for a driver, not for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The URL with `***` in place of a password: for a log, not for a driver.
    #[must_use]
    pub fn redacted(&self) -> String {
        redacted_url(&self.0)
    }

    /// The file of a SQLite database, for drivers that open a path; `None` for one in memory or on a
    /// server.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        let path = self.0.strip_prefix("sqlite://")?;
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        Some(PathBuf::from(&*decode(path)))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({})", self.redacted())
    }
}

impl Deref for DatabaseUrl {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for DatabaseUrl {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<DatabaseUrl> for String {
    fn from(url: DatabaseUrl) -> Self {
        url.0
    }
}

impl From<&DatabaseUrl> for String {
    fn from(url: &DatabaseUrl) -> Self {
        url.0.clone()
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

/// `text` as it may stand in place of the host of a URL.
#[cfg(feature = "postgres")]
pub(crate) fn encode_host(text: &str) -> String {
    encode(text).replace('/', "%2F")
}

/// The address `address` with another host, encoded already. The port stays.
#[cfg(feature = "postgres")]
fn with_host(address: &str, host: &str) -> String {
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority..]
        .find('/')
        .map_or(address.len(), |at| authority + at);
    let old = &address[authority..end];
    let (user, place) = match old.rsplit_once('@') {
        Some((user, place)) => (format!("{user}@"), place),
        None => (String::new(), old),
    };
    // A colon in `[::1]` is none of a port.
    let port = place.rsplit_once(':').map_or("", |(_, port)| port);
    let port = match port.is_empty() || port.contains(']') {
        true => String::new(),
        false => format!(":{port}"),
    };
    format!(
        "{}{user}{host}{port}{}",
        &address[..authority],
        &address[end..]
    )
}

/// `text` without percent signs that stand for something.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let digits = others
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
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
            assert_eq!(url.redacted(), shown);
            assert!(!format!("{url:?}").contains("hunter2"));
        }
    }

    #[test]
    fn every_form_of_it_connects() {
        use sea_orm::ConnectOptions;

        let text = "postgres://app:hunter2@localhost/app";
        let url = DatabaseUrl::new(text);
        assert_eq!(url.to_string(), text);
        assert_eq!(format!("{url}"), text);
        assert_eq!(&*url, text);
        assert_eq!(AsRef::<str>::as_ref(&url), text);
        assert_eq!(String::from(&url), text);
        assert_eq!(ConnectOptions::from(&url).get_url(), text);
        assert_eq!(ConnectOptions::from(url.clone()).get_url(), text);
        assert_eq!(Into::<String>::into(url), text);
    }

    #[test]
    #[cfg(feature = "postgres")]
    fn drivers_other_than_sqlx_get_no_words_of_sqlx() {
        for (url, other) in [
            ("postgres://a@h/x", "postgres://a@h/x"),
            (
                "postgres://a@h/x?sslmode=disable",
                "postgres://a@h/x?sslmode=disable",
            ),
            (
                "postgres://a@h/x?statement-cache-capacity=5",
                "postgres://a@h/x",
            ),
            (
                "postgres://a:b%40@localhost:5433/x?host=/a%20dir/s&application_name=t",
                "postgres://a:b%40@%2Fa%20dir%2Fs:5433/x?application_name=t",
            ),
            ("postgres://a@[::1]/x?host=/s", "postgres://a@%2Fs/x"),
            ("postgres:///x?user=a&host=/s", "postgres://%2Fs/x?user=a"),
            (
                "postgres://a@h/x?ssl-mode=require&ssl-ca=/c.pem",
                "postgres://a@h/x?sslmode=require&sslrootcert=/c.pem",
            ),
            (
                "postgres://a@h/x?options[search_path]=a,b&options=-c%20work_mem%3D1MB",
                "postgres://a@h/x?options=-c%20search_path%3Da%2Cb%20-c%20work_mem%3D1MB",
            ),
        ] {
            assert_eq!(DatabaseUrl::new(url).for_postgres_drivers().expose(), other);
        }
    }

    #[test]
    #[cfg(feature = "mysql")]
    fn drivers_of_mysql_get_no_words_of_sqlx() {
        for (url, other) in [
            ("mysql://a@h/x", "mysql://a@h/x"),
            ("mysql://a@h/x?statement-cache-capacity=5", "mysql://a@h/x"),
            (
                "mysql://a@h/x?statement-cache-capacity=5&socket=/s",
                "mysql://a@h/x?socket=/s",
            ),
        ] {
            assert_eq!(DatabaseUrl::new(url).for_mysql_drivers().expose(), other);
        }
    }

    #[test]
    #[cfg(feature = "sqlite")]
    fn a_file_has_a_path() {
        for path in ["/a/b.sqlite", "/a b/50% off?/#1 & c=d/é.sqlite", "/%41/%3F"] {
            let url = DatabaseUrl::of_file(Path::new(path));
            assert_eq!(url.path().as_deref(), Some(Path::new(path)));
        }
        assert_eq!(DatabaseUrl::new("sqlite::memory:").path(), None);
        assert_eq!(DatabaseUrl::new("postgres:///a").path(), None);
    }
}
