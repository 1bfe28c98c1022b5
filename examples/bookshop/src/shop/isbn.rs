//! The number of a book: thirteen digits, whose last one checks the others.

use crate::{Error, Result};

/// Drops the hyphens of `text` and checks what is left.
pub(super) fn tidy(text: &str) -> Result<String> {
    let digits: String = text
        .trim()
        .chars()
        .filter(|letter| *letter != '-')
        .collect();
    let wrong = Error::Invalid {
        field: "isbn",
        why: "must be a valid ISBN-13",
    };
    if digits.len() != 13 {
        return Err(wrong);
    }
    let mut sum = 0;
    for (place, letter) in digits.chars().enumerate() {
        let Some(digit) = letter.to_digit(10) else {
            return Err(wrong);
        };
        sum += if place % 2 == 0 { digit } else { 3 * digit };
    }
    if sum % 10 == 0 {
        Ok(digits)
    } else {
        Err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn hyphens_of_an_isbn_are_dropped() {
        assert_eq!(tidy("978-0-306-40615-7").unwrap(), "9780306406157");
    }

    #[test]
    fn what_is_no_isbn_is_refused() {
        for wrong in [
            "",
            "9780306406158",
            "978030640615",
            "978030640615X",
            "97803064061570",
        ] {
            assert!(tidy(wrong).is_err(), "{wrong:?} passed");
        }
    }
}
