//! Where a database is: a URL that connects in whatever form it is passed on.
//!
//! `Display` is the URL as it is, so that `to_string()` and `format!` give what a driver needs. What
//! green-light itself prints is [`DatabaseUrl::redacted`], and `Debug` is that too.

use std::{borrow::Cow, fmt, ops::Deref, path::PathBuf};

use green_light_core::{hide_secret, redacted_url};

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
pub struct DatabaseUrl {
    pub(crate) url: String,
    /// Its file, if it is one.
    pub(crate) path: Option<PathBuf>,
}

impl DatabaseUrl {
    pub(crate) fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        hide_password(&url);
        Self { url, path: None }
    }

    /// The URL as it is, password included: for a driver, not for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.url
    }

    /// The URL with `***` in place of a password: for a log, not for a driver.
    #[must_use]
    pub fn redacted(&self) -> String {
        redacted_url(&self.url)
    }

    /// The URL without its password, and that password.
    #[allow(dead_code, reason = "only servers have passwords")]
    pub(crate) fn without_password(&self) -> (String, Option<String>) {
        let whole = || (self.url.clone(), None);
        let Some((scheme, rest)) = self.url.split_once("://") else {
            return whole();
        };
        // What follows the place may hold an `@` of its own; a password that is not escaped, too.
        let Some((credentials, place)) = rest.rsplit_once('@') else {
            return whole();
        };
        match credentials.split_once(':') {
            Some((user, password)) => (
                format!("{scheme}://{user}@{place}"),
                Some(decode(password).into_owned()),
            ),
            None => whole(),
        }
    }

    /// The file of a SQLite database, for drivers that open a path; `None` for one in memory or on a
    /// server.
    #[must_use]
    pub fn path(&self) -> Option<PathBuf> {
        self.path.clone()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.url)
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
        &self.url
    }
}

impl AsRef<str> for DatabaseUrl {
    fn as_ref(&self) -> &str {
        &self.url
    }
}

impl From<DatabaseUrl> for String {
    fn from(url: DatabaseUrl) -> Self {
        url.url
    }
}

impl From<&DatabaseUrl> for String {
    fn from(url: &DatabaseUrl) -> Self {
        url.url.clone()
    }
}

/// Lets nothing print the password of `url`, also where it does not stand in a URL.
fn hide_password(url: &str) {
    let Some((credentials, _)) = url.rsplit_once('@') else {
        return;
    };
    let credentials = credentials
        .split_once("://")
        .map_or(credentials, |(_, rest)| rest);
    if let Some((_, password)) = credentials.split_once(':') {
        hide_secret(password);
        hide_secret(&decode(password));
    }
}

/// `text` without percent signs that stand for something.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
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
}
