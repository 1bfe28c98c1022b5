//! URLs of servers: their parts.

use std::borrow::Cow;

use crate::url::{DatabaseUrl, decode};

impl DatabaseUrl {
    /// The same server, role and parameters, with another database.
    pub(crate) fn with_database(&self, name: &str) -> Self {
        let (address, query) = match self.url.split_once('?') {
            Some((address, query)) => (address, format!("?{query}")),
            None => (&*self.url, String::new()),
        };
        let authority = address.find("://").map_or(0, |at| at + 3);
        let end = address[authority..]
            .find('/')
            .map_or(address.len(), |at| authority + at);
        Self::new(format!("{}/{name}{query}", &address[..end]))
    }

    /// The parameters behind `?`, without percent signs that stand for something.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .filter_map(|parameter| parameter.split_once('='))
            .map(|(name, value)| (decode(name), decode(value)))
    }
}

/// `text` as it may stand in a parameter of a URL.
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
    fn encodes_what_would_end_a_parameter() {
        assert_eq!(encode("/a dir/é&x=1"), "/a%20dir/%C3%A9%26x%3D1");
    }

    #[test]
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
}
