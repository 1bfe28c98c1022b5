//! Passwords out of everything that is printed.
//!
//! Looks for URLs with credentials anywhere in a text, and for the ways in which drivers print theirs. A word
//! such as "password" alone is no reason to hide what follows: the application under test may have said it.

use std::borrow::Cow;

/// The text in place of a password.
const HIDDEN: &str = "***";

/// Parameters of a URL whose values are secrets, or parts of their names.
const SECRET: [&str; 6] = ["password", "passwd", "pwd", "key", "secret", "token"];

/// `text` with every password replaced by `***`.
///
/// Recognised are URLs with credentials (`postgres://app:***@host/db`), their parameters, the `Debug` of
/// drivers' options (`password: Some("***")`), and connection strings (`host=db password=***`).
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
    if text.contains("://") {
        shown = Cow::Owned(urls(&shown));
    }
    if shown.contains("password: ") {
        shown = Cow::Owned(after(&shown, "password: Some(\"", |c| c == '"'));
        shown = Cow::Owned(after(&shown, "password: \"", |c| c == '"'));
    }
    if shown.contains("password=") && (shown.contains("host=") || shown.contains("dbname=")) {
        let end = |c: char| c.is_whitespace() || "&\"`".contains(c);
        shown = Cow::Owned(after(&shown, "password=", end));
    }
    // Nothing to hide is the rule.
    if shown == text {
        Cow::Borrowed(text)
    } else {
        shown
    }
}

/// `url` with its password and its secret parameters replaced by `***`.
///
/// More is hidden than in a text, where a space or a quote ends a URL.
///
/// ```
/// use green_light_core::redacted_url;
///
/// let url = "mysql://app:it's a secret@localhost/shop?ssl-key=x";
/// assert_eq!(redacted_url(url), "mysql://app:***@localhost/shop?ssl-key=***");
/// ```
#[must_use]
pub fn redacted_url(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", url_behind(scheme, rest)),
        None => url_behind("", url),
    }
}

/// Hides the text between each `mark` and the next `end`.
fn after(text: &str, mark: &str, end: impl Fn(char) -> bool) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, secret)) = rest.split_once(mark) {
        let ends = secret.find(&end).unwrap_or(secret.len());
        shown.push_str(before);
        shown.push_str(mark);
        shown.push_str(HIDDEN);
        rest = &secret[ends..];
    }
    shown + rest
}

/// Hides the secrets of every URL in a text.
fn urls(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + "://".len());
        let end = url
            .find(|c: char| c.is_whitespace() || "\"'`<>".contains(c))
            .unwrap_or(url.len());
        let scheme = before.trim_end_matches("://");
        let scheme = &scheme[scheme
            .rfind(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c))
            .map_or(0, |at| at + 1)..];
        shown.push_str(before);
        shown.push_str(&url_behind(scheme, &url[..end]));
        rest = &url[end..];
    }
    shown + rest
}

/// What follows `scheme://`, without its secrets.
///
/// A password may itself hold `@`, `:` or `/`, so the credentials end at the *last* `@` before the
/// parameters. Pages of the web have paths with `@` in them; there, they end before the path.
fn url_behind(scheme: &str, url: &str) -> String {
    let (address, parameters) = match url.split_once('?') {
        Some((address, parameters)) => (address, Some(parameters)),
        None => (url, None),
    };
    let is_page = ["http", "https", "ws", "wss"].contains(&scheme);
    let path = address.find('/').filter(|_| is_page);
    let (authority, path) = address.split_at(path.unwrap_or(address.len()));
    let mut shown = match authority.rsplit_once('@') {
        Some((credentials, host)) => match credentials.split_once(':') {
            Some((user, _)) => format!("{user}:{HIDDEN}@{host}"),
            None => authority.to_owned(),
        },
        None => authority.to_owned(),
    };
    shown.push_str(path);
    if let Some(parameters) = parameters {
        let parameters: Vec<String> = parameters.split('&').map(parameter).collect();
        shown.push('?');
        shown.push_str(&parameters.join("&"));
    }
    shown
}

fn parameter(parameter: &str) -> String {
    match parameter.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={HIDDEN}"),
        _ => parameter.to_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert!(matches!(redacted(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
