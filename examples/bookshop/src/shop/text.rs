//! Text that comes from outside: trimmed, neither empty nor longer than its column.

use crate::{Error, Result};

/// The longest name or title the tables hold, in characters.
const LONGEST: usize = 200;

/// Trims `text`, which is the value of `field`.
pub(super) fn tidy(field: &'static str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::Invalid {
            field,
            why: "must not be empty",
        });
    }
    if text.chars().count() > LONGEST {
        return Err(Error::Invalid {
            field,
            why: "must not be longer than 200 characters",
        });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn trims() {
        assert_eq!(tidy("name", "  Ann \n").unwrap(), "Ann");
    }

    #[test]
    fn refuses_what_is_empty_or_too_long() {
        assert_eq!(
            tidy("name", " ").unwrap_err().to_string(),
            "`name` must not be empty"
        );
        assert!(tidy("name", &"é".repeat(200)).is_ok());
        assert!(tidy("name", &"é".repeat(201)).is_err());
    }
}
