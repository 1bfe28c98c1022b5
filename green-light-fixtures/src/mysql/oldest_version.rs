//! The oldest MySQL and MariaDB that green-light works with.

use crate::error::Error;
use crate::mysql::local_server::SERVER;

const MYSQL: (u32, u32) = (8, 0);
const MARIADB: (u32, u32) = (10, 5);

/// Refuses a server of this version if that is too old.
///
/// # Errors
///
/// When it is.
pub(crate) fn check(version: &str) -> Result<(), Error> {
    // These have versions of their own, behind one for drivers of MySQL.
    let is_other = ["-TiDB", "-Vitess", "-vitess"]
        .iter()
        .any(|name| version.contains(name));
    let is_mariadb = version.contains("MariaDB");
    // MariaDB calls itself MySQL 5.5.5 for old drivers.
    let number = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut parts = number.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else {
        return Ok(());
    };
    let (name, oldest) = match is_mariadb {
        true => ("MariaDB", MARIADB),
        false => ("MySQL", MYSQL),
    };
    if is_other || (major, minor) >= oldest {
        return Ok(());
    }
    let needed = format!("{name} {}.{}", oldest.0, oldest.1);
    Err(SERVER.too_old(&format!("{name} {number}"), &needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_refused_with_both_versions() {
        for (version, fact) in [
            (
                "5.7.44-log",
                "is MySQL 5.7.44-log, and green-light needs MySQL 8.0 or later\n",
            ),
            (
                "5.5.5-10.3.39-MariaDB",
                "is MariaDB 10.3.39-MariaDB, and green-light needs MariaDB 10.5 or later\n",
            ),
        ] {
            let error = check(version).unwrap_err();
            assert!(error.is_server());
            let text = error.to_string();
            assert!(text.contains(fact) && text.contains("  help: "), "{text}");
        }
        for version in [
            "8.0.36",
            "9.7.0",
            "10.11.14-MariaDB-0+deb12u2",
            "5.5.5-10.11.2-MariaDB",
            "11.8.3-MariaDB",
            "5.7.25-TiDB-v7.5.0",
            "what",
        ] {
            check(version).unwrap();
        }
    }
}
