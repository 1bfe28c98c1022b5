//! URLs of MySQL.

use crate::url::DatabaseUrl;

/// The same address without what sqlx alone understands.
pub(crate) fn for_all_drivers(url: &DatabaseUrl) -> DatabaseUrl {
    let Some((address, query)) = url.url.split_once('?') else {
        return url.clone();
    };
    let known: Vec<_> = query
        .split('&')
        .filter(|parameter| !parameter.starts_with("statement-cache-capacity="))
        .collect();
    DatabaseUrl::new(match known.is_empty() {
        true => address.to_owned(),
        false => format!("{address}?{}", known.join("&")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_of_mysql_get_no_words_of_sqlx() {
        for (url, other) in [
            ("mysql://a@h/x", "mysql://a@h/x"),
            ("mysql://a@h/x?statement-cache-capacity=5", "mysql://a@h/x"),
            (
                "mysql://a@h/x?statement-cache-capacity=5&socket=/s",
                "mysql://a@h/x?socket=/s",
            ),
        ] {
            assert_eq!(for_all_drivers(&DatabaseUrl::new(url)).expose(), other);
        }
    }
}
