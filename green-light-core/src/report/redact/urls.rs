//! Passwords in URLs.
//!
//! A password may itself hold `@`, `:`, `/`, `?`, quotes and spaces, if somebody has not encoded them. So the
//! credentials end at the *last* `@` of what may be the URL. Pages of the web have paths with `@` in them; there,
//! they end before the path.

use std::ops::Range;

use crate::report::redact::spans::{backslashes, end_of_line, end_of_literal, is_outside_of_word};

/// Parameters of a URL whose values are secrets, or parts of their names.
const SECRET: [&str; 6] = ["password", "passwd", "pwd", "key", "secret", "token"];

const MARK: &str = "://";

/// The next secret of a URL in `text` that begins at `from` or later.
pub(crate) fn url_password(text: &str, from: usize) -> Option<Range<usize>> {
    let marks = text.match_indices(MARK).map(|(at, _)| at);
    let mut ends = marks.filter_map(|mark| {
        let url = Url::at(text, mark);
        url.secrets().find(|secret| secret.start >= from)
    });
    ends.next()
}

/// The same for a text that is one URL, whatever its scheme.
pub(crate) fn whole_url(text: &str, from: usize) -> Option<Range<usize>> {
    let begin = text.find(MARK).map_or(0, |at| at + MARK.len());
    let url = Url {
        text,
        scheme: text
            .split(MARK)
            .next()
            .filter(|_| begin > 0)
            .unwrap_or_default(),
        begin,
        end: text.len(),
    };
    url.secrets().find(|secret| secret.start >= from)
}

/// A URL in a text.
struct Url<'a> {
    text: &'a str,
    scheme: &'a str,
    /// What comes behind `://`.
    begin: usize,
    end: usize,
}

impl<'a> Url<'a> {
    fn at(text: &'a str, mark: usize) -> Self {
        let is_part_of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let scheme = text[..mark].trim_end_matches(is_part_of_scheme).len();
        let begin = mark + MARK.len();
        let mut url = Self {
            text,
            scheme: &text[scheme..mark],
            begin,
            end: begin,
        };
        let line = end_of_line(text, begin);
        let quote = text[..scheme].chars().next_back();
        // A literal ends where it says so, whatever it holds.
        let literal = (quote == Some('"'))
            .then(|| end_of_literal(text, begin, backslashes(text, scheme - 1)))
            .flatten();
        if let Some(end) = literal {
            url.end = end;
            return url;
        }
        let is_end = |(at, c): &(usize, char)| match c {
            '"' | '\'' | '`' | '<' | '>' => is_outside_of_word(text, begin + at + c.len_utf8()),
            c => c.is_whitespace(),
        };
        let mut ends = text[begin..line].char_indices().filter(is_end);
        url.end = ends.next().map_or(line, |(at, _)| begin + at);
        if url.lacks_an_end_of_its_credentials() {
            // What looked like the end is part of the password.
            let next = text[url.end..line]
                .find(MARK)
                .map_or(line, |at| url.end + at);
            url.end = text[url.end..next]
                .rfind('@')
                .map_or(url.end, |at| url.end + at + 1);
        }
        url
    }

    fn is_page(&self) -> bool {
        ["http", "https", "ws", "wss", "file"].contains(&self.scheme)
    }

    /// Whether there is a user and a colon, and neither a port nor a host behind it.
    fn lacks_an_end_of_its_credentials(&self) -> bool {
        let rest = &self.text[self.begin..self.end];
        !self.is_page() && !rest.contains('@') && password_behind(rest).is_some()
    }

    /// Where its secrets are, in order.
    fn secrets(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let rest = &self.text[self.begin..self.end];
        let address = rest.find('?').unwrap_or(rest.len());
        let at = match self.is_page() {
            true => rest[..address].find('/').unwrap_or(address),
            false => rest.len(),
        };
        let mut ends = rest[..at].rmatch_indices('@').map(|(at, _)| at);
        let at = ends.find(|at| *at < address || ends_credentials(rest, address, *at));
        let password = at.and_then(|at| Some(rest[..at].find(':')? + 1..at));
        let parameters = at.map_or(address, |at| at.max(address));
        let parameters = rest[parameters..].find('?').map(|at| parameters + at + 1);
        let mut secrets: Vec<Range<usize>> = password.into_iter().collect();
        let mut begin = parameters.unwrap_or(rest.len());
        for parameter in rest[begin..].split('&') {
            if let Some((name, value)) = parameter.split_once('=')
                && is_secret(name)
            {
                let value_begins = begin + name.len() + 1;
                secrets.push(value_begins..value_begins + value.len());
            }
            begin += parameter.len() + 1;
        }
        let offset = self.begin;
        secrets
            .into_iter()
            .map(move |secret| offset + secret.start..offset + secret.end)
    }
}

/// What stands behind the first colon, unless that is a port.
fn password_behind(rest: &str) -> Option<&str> {
    let (before, password) = rest.split_once(':')?;
    if before.contains(['/', '?']) {
        return None;
    }
    let behind_port = password.trim_start_matches(|c: char| c.is_ascii_digit());
    let has_digits = behind_port.len() < password.len();
    let is_port = behind_port.is_empty()
        || has_digits && behind_port.starts_with(['/', '?', ',', '.', ')', ';']);
    (!is_port).then_some(password)
}

/// Whether the `@` at `at`, behind the first question mark, ends the credentials, and is not part of a parameter.
fn ends_credentials(rest: &str, address: usize, at: usize) -> bool {
    let begin = rest[..at].rfind('&').map_or(address + 1, |begin| begin + 1);
    let behind = rest[at..].split('&').next().unwrap_or_default();
    let has_password = password_behind(rest).is_some() && !rest[..address].contains('@');
    has_password || !rest[begin..at].contains('=') || behind.contains(['/', '?'])
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|word| name.contains(word))
}
