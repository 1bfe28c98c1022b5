//! URLs of PostgreSQL.

use crate::server::url::encode;
use crate::url::{DatabaseUrl, decode};

/// The same address in words that every driver of PostgreSQL understands, not sqlx alone.
pub(crate) fn for_all_drivers(url: &DatabaseUrl) -> DatabaseUrl {
    let Some((address, query)) = url.url.split_once('?') else {
        return url.clone();
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
    DatabaseUrl::new(match parameters.is_empty() {
        true => address,
        false => format!("{address}?{}", parameters.join("&")),
    })
}

/// `text` as it may stand in place of the host of a URL.
pub(crate) fn encode_host(text: &str) -> String {
    encode(text).replace('/', "%2F")
}

/// The address `address` with another host, encoded already. The port stays.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
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
            assert_eq!(for_all_drivers(&DatabaseUrl::new(url)).expose(), other);
        }
    }
}
