//! The oldest PostgreSQL that green-light works with.

use crate::error::Error;
use crate::postgres::local_server::SERVER;

/// As PostgreSQL counts: the major version and four digits.
const OLDEST: u32 = 12_0000;

/// Refuses a server of this version if that is too old.
///
/// # Errors
///
/// When it is.
pub(crate) fn check(version: Option<u32>) -> Result<(), Error> {
    let Some(version) = version.filter(|version| *version < OLDEST) else {
        return Ok(());
    };
    let minor = match version {
        ..10_0000 => version / 100 % 100,
        _ => version % 1_0000,
    };
    let found = format!("PostgreSQL {}.{minor}", version / 1_0000);
    Err(SERVER.too_old(&found, "PostgreSQL 12"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_refused_with_both_versions() {
        for (number, found) in [(9_06_24, "9.6"), (11_0022, "11.22")] {
            let error = check(Some(number)).unwrap_err();
            assert!(error.is_server());
            let text = error.to_string();
            let fact =
                format!("is PostgreSQL {found}, and green-light needs PostgreSQL 12 or later\n");
            assert!(text.contains(&fact) && text.contains("  help: "), "{text}");
        }
        for number in [None, Some(12_0000), Some(15_0004)] {
            check(number).unwrap();
        }
    }
}
