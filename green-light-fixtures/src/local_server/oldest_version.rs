//! The oldest servers that green-light works with, and what it says to older ones.

use crate::error::{Error, Kind};
use crate::local_server::origin::Origin;

/// As PostgreSQL counts: the major version and four digits.
#[cfg(feature = "postgres")]
const POSTGRES: u32 = 12_0000;
#[cfg(feature = "mysql")]
const MYSQL: (u32, u32) = (8, 0);
#[cfg(feature = "mysql")]
const MARIADB: (u32, u32) = (10, 5);

/// Refuses a PostgreSQL that says this number of itself and is too old.
///
/// # Errors
///
/// When it is.
#[cfg(feature = "postgres")]
pub(crate) fn check_postgres(number: Option<u32>) -> Result<(), Error> {
    match number {
        Some(number) if number < POSTGRES => {
            let found = match number {
                ..10_0000 => format!("{}.{}", number / 1_0000, number / 100 % 100),
                _ => format!("{}.{}", number / 1_0000, number % 1_0000),
            };
            Err(too_old(
                Origin::POSTGRES,
                &format!("PostgreSQL {found}"),
                "PostgreSQL 12",
            ))
        }
        _ => Ok(()),
    }
}

/// Refuses a MySQL or MariaDB that says this of itself and is too old.
///
/// # Errors
///
/// When it is.
#[cfg(feature = "mysql")]
pub(crate) fn check_mysql(version: &str) -> Result<(), Error> {
    // Others have numbers of their own, in front of which stands one for drivers.
    let is_other = ["-TiDB", "-Vitess", "-vitess"]
        .iter()
        .any(|name| version.contains(name));
    let is_mariadb = version.contains("MariaDB");
    // MariaDB shows itself to old drivers as a MySQL 5.5.5.
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
    Err(too_old(Origin::MYSQL, &format!("{name} {number}"), &needed))
}

fn too_old(origin: Origin, found: &str, needed: &str) -> Error {
    let name = origin.name();
    Error::new(
        Kind::Server,
        format!("{name} is {found}, and green-light needs {needed} or later"),
    )
    .help(origin.newer())
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(feature = "postgres")]
    fn a_postgres_that_is_too_old_is_refused_with_both_versions() {
        use super::check_postgres;
        for (number, found) in [(9_06_24, "9.6"), (11_0022, "11.22")] {
            let error = check_postgres(Some(number)).unwrap_err();
            assert!(error.is_server());
            let text = error.to_string();
            let fact =
                format!("is PostgreSQL {found}, and green-light needs PostgreSQL 12 or later\n");
            assert!(text.contains(&fact) && text.contains("  help: "), "{text}");
        }
        for number in [None, Some(12_0000), Some(15_0004)] {
            check_postgres(number).unwrap();
        }
    }

    #[test]
    #[cfg(feature = "mysql")]
    fn a_mysql_or_mariadb_that_is_too_old_is_refused_with_both_versions() {
        use super::check_mysql;
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
            let error = check_mysql(version).unwrap_err();
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
            check_mysql(version).unwrap();
        }
    }
}
