//! What is printed, without its passwords.

use std::borrow::Cow;

use crate::report::redact::fields::{sql_password, struct_field, variable};
use crate::report::redact::known::without_known;
use crate::report::redact::spans::hide;
use crate::report::redact::urls::{url_password, whole_url};

/// `text` with every password replaced by `***`.
///
/// Recognised are
///
/// * URLs with credentials (`postgres://app:***@host/db`), and their secret parameters;
/// * the `Debug` of drivers' options (`password: Some("***")`);
/// * connection strings (`host=db password=***`), and variables such as `PGPASSWORD=***`;
/// * passwords in SQL (`ALTER ROLE app PASSWORD '***'`);
/// * wherever they stand, passwords that were given to [`hide_secret`](crate::hide_secret).
///
/// The word "password" alone is no reason to hide what follows: the application under test may have said it.
///
/// ```
/// use green_light_core::redacted;
///
/// let error = "cannot connect to postgres://app:hunter2@localhost/shop";
/// assert_eq!(redacted(error), "cannot connect to postgres://app:***@localhost/shop");
/// ```
#[must_use]
pub fn redacted(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    // Fields first: where a literal ends is certain, where a URL with such a password ends is not.
    if has_word_for_password(text) {
        shown = hide(shown, struct_field);
        shown = hide(shown, variable);
        shown = hide(shown, sql_password);
    }
    if text.contains("://") {
        shown = hide(shown, url_password);
    }
    without_known(shown)
}

/// `url` with its password and its secret parameters replaced by `***`.
///
/// More is hidden than in a text, where a space or a quote may end a URL.
///
/// ```
/// use green_light_core::redacted_url;
///
/// let url = "mysql://app:it's a secret@localhost/shop?ssl-key=x";
/// assert_eq!(redacted_url(url), "mysql://app:***@localhost/shop?ssl-key=***");
/// ```
#[must_use]
pub fn redacted_url(url: &str) -> String {
    hide(Cow::Borrowed(url), whole_url).into_owned()
}

/// Nothing to hide is the rule, and is to be found fast.
fn has_word_for_password(text: &str) -> bool {
    let bytes = text.as_bytes();
    let words: [&[u8]; 6] = [
        b"passw",
        b"pwd",
        b"secret",
        b"identified",
        b"passphrase",
        b"key\": ",
    ];
    words.iter().any(|word| {
        bytes
            .windows(word.len())
            .any(|found| found.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::*, sample::select};

    use super::*;
    use crate::report::redact::known::{KnownSecrets, is_distinct};

    #[test]
    fn passwords_are_hidden() {
        for (text, shown) in [
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
            (
                "http://me:hunter2@host:80/@name",
                "http://me:***@host:80/@name",
            ),
            (
                "two: (`a://b:hunter2@c`, \"d://e:hunter2@f\"), and more",
                "two: (`a://b:***@c`, \"d://e:***@f\"), and more",
            ),
            (
                "PgConnectOptions { username: \"app\", password: Some(\"hunter2\"), port: 5432 }",
                "PgConnectOptions { username: \"app\", password: Some(\"***\"), port: 5432 }",
            ),
            (
                "host=db password=hunter2 dbname=x",
                "host=db password=*** dbname=x",
            ),
            (
                "Server=db;Pwd=\"hun\"\"ter2\";Database=x",
                "Server=db;Pwd=\"***\";Database=x",
            ),
            (
                "PgConnectOptions {\n    password: Some(\n        \"hunter2\",\n    ),\n}",
                "PgConnectOptions {\n    password: Some(\n        \"***\",\n    ),\n}",
            ),
            (
                "pragmas: {\"key\": Some(\"'hunter2'\"), \"foreign_keys\": Some(\"ON\")}",
                "pragmas: {\"key\": Some(\"***\"), \"foreign_keys\": Some(\"ON\")}",
            ),
            (
                "Config { user: \"app\", password: [104, 117, 110] }",
                "Config { user: \"app\", password: [***] }",
            ),
            (
                "postgres://app:it's hunter2@localhost/app is not reached",
                "postgres://app:***@localhost/app is not reached",
            ),
            (
                "PGPASSWORD=hunter2 psql --password=hunter2 -h db",
                "PGPASSWORD=*** psql --password=*** -h db",
            ),
            (
                "ALTER ROLE app PASSWORD 'hunter''2' VALID UNTIL 'x'",
                "ALTER ROLE app PASSWORD '***' VALID UNTIL 'x'",
            ),
            (
                "CREATE USER a IDENTIFIED WITH mysql_native_password BY 'hunter2'; SELECT 'a'",
                "CREATE USER a IDENTIFIED WITH mysql_native_password BY '***'; SELECT 'a'",
            ),
            (
                "alter role app password $x$hunter2$x$",
                "alter role app password $x$***$x$",
            ),
        ] {
            assert_eq!(redacted(text), shown);
            assert_eq!(redacted(shown), shown, "twice is once");
        }
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "sqlite::memory:",
            "postgres://app@localhost/app",
            "http://127.0.0.1:8080/@me",
            "password: must be longer than eight letters",
            "{\"password\":\"hunter2\"}",
            "user=a&password=b",
            "see https://example.org/a:b or mail ann@example.org",
            "left: Some(\"a://b\")",
            "://",
            "write postgres://HOST:5432/NAME, or postgres://localhost:5432?user=ann@example.org",
            "ADMIN PASSWORD is what `ann` forgot: 'x'",
            "PWD=/srv/ann",
            "assertion failed: key: \"a\"",
        ] {
            assert!(matches!(redacted(text), Cow::Borrowed(_)), "{text}");
        }
    }

    /// A password with everything that means something somewhere, and `hunter` in it.
    fn password() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            3 => Just("hunter"),
            6 => select(vec![
                "'", "\"", "\\", "@", "#", " ", "%", "%40", ":", "/", "?", "&", "=", ";", "ü", "密", "`", "$", "<",
                "{", "}", ",", ")", "(", "-", "''", "\\'", "://", "1",
            ]),
        ];
        let parts = collection::vec(part, 1..8);
        let with_one =
            (parts.clone(), parts).prop_map(|(a, b)| format!("{}hunter{}", a.concat(), b.concat()));
        // A number behind the colon is a port.
        with_one.prop_filter("no port", |password| !password.starts_with('1'))
    }

    #[derive(Debug)]
    #[expect(dead_code, reason = "it is printed")]
    struct Options {
        host: String,
        password: Option<String>,
        ssl: bool,
    }

    fn encoded(text: &str) -> String {
        text.bytes().map(|byte| format!("%{byte:02X}")).collect()
    }

    #[track_caller]
    fn hides(text: &str) {
        let shown = redacted(text);
        assert!(!shown.contains("hunter"), "{shown}\nof {text}");
        assert_eq!(redacted(&shown), shown, "twice is once");
    }

    proptest! {
        #[test]
        fn no_password_is_printed_whatever_is_in_it(password in password()) {
            let url = format!("postgres://app:{password}@localhost/shop?sslmode=prefer");
            let shown = redacted_url(&url);
            assert!(!shown.contains("hunter"), "{shown}");
            assert!(!shown.contains(&encoded("hunter")), "{shown}");
            let host = "db".to_owned();
            let options = Options { host, password: Some(password.clone()), ssl: true };
            let libpq = password.replace('\\', "\\\\").replace('\'', "\\'");
            let dsn = format!("host=db password='{libpq}' dbname=shop");
            let ado = password.replace('"', "\"\"");
            let sql = password.replace('\'', "''");
            for text in [
                format!("cannot connect to {url:?} today"),
                format!("cannot connect to {:?} today", format!("{url:?}")),
                format!("{options:?}, or {options:#?}"),
                format!("{:?}", format!("{options:?}")),
                format!("not understood: {dsn}"),
                format!("not understood: `{dsn}`"),
                format!("not understood: {dsn:?}"),
                format!("Server=db;Database=shop;Password=\"{ado}\";Encrypt=true"),
                format!("ALTER ROLE app PASSWORD '{sql}'"),
                format!("CREATE USER app IDENTIFIED BY '{sql}' ACCOUNT UNLOCK"),
                format!("ALTER ROLE app PASSWORD E'{libpq}'; SELECT 1"),
            ] {
                hides(&text);
            }
            // What a text is cut off at is not known.
            for end in (0..sql.len()).filter(|end| sql.is_char_boundary(*end)) {
                let begun = format!("ALTER ROLE app PASSWORD '{}", &sql[..end]);
                prop_assert!(!redacted(&begun).contains("hunter"), "{}", redacted(&begun));
            }
        }

        #[test]
        fn a_password_that_is_known_is_printed_nowhere(password in password()) {
            prop_assume!(is_distinct(&password));
            let mut known = KnownSecrets::default();
            known.add(&password);
            let escaped = serde_json::Value::from(password.as_str());
            for text in [
                format!("postgres://app:{password}@localhost/shop is not reached"),
                format!("`postgres://app:{password}@localhost/shop` is not reached"),
                format!("the password is {password}"),
                format!("the password is {password:?}, or {escaped}"),
            ] {
                let shown = known.hide(Cow::Borrowed(&text));
                prop_assert!(!shown.contains(&password), "{shown}\nof {text}");
            }
        }
    }
}
