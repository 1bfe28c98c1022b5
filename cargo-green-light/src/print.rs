//! What is printed: colours, numbers and times as people read them, and JSON.

use std::io::{self, Write as _};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::error::Error;

pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const NOTE: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const HELP: Style = AnsiColor::Cyan.on_default().bold();
pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// Prints `value` as JSON.
///
/// # Errors
///
/// When nothing reads it.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Error> {
    let mut output = io::stdout().lock();
    let written = serde_json::to_writer_pretty(&mut output, value);
    written
        .map_err(io::Error::from)
        .and_then(|()| output.write_all(b"\n"))
        .map_err(|error| Error::new(format!("the JSON cannot be printed: {error}")))
}

/// A number with a comma between thousands.
pub(crate) fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a sentence lists.
pub(crate) fn listed(texts: impl IntoIterator<Item = String>) -> String {
    let texts: Vec<_> = texts.into_iter().collect();
    texts.join(", ")
}

/// `1 test`, `2 tests`.
pub(crate) fn count(of: usize, what: &str) -> String {
    let end = if of == 1 { "" } else { "s" };
    format!("{} {what}{end}", number(of))
}

/// A time as people read it: `12.3 s`, `45 ms`, `0.31 ms`.
pub(crate) fn seconds(seconds: f64) -> String {
    let milliseconds = seconds * 1e3;
    match milliseconds {
        _ if milliseconds >= 9_999.5 => format!("{seconds:.1} s"),
        _ if milliseconds >= 999.5 => format!("{seconds:.2} s"),
        _ if milliseconds >= 9.95 => format!("{milliseconds:.0} ms"),
        _ if milliseconds >= 0.995 => format!("{milliseconds:.1} ms"),
        _ => format!("{milliseconds:.2} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_short() {
        let numbers = [1, 999, 1_000, 12_345, 1_234_567].map(number);
        assert_eq!(numbers, ["1", "999", "1,000", "12,345", "1,234,567"]);
        let times = [0.0, 0.000_31, 0.001, 0.0457, 0.9996, 3.217, 12.345].map(seconds);
        let expected = [
            "0.00 ms", "0.31 ms", "1.0 ms", "46 ms", "1.00 s", "3.22 s", "12.3 s",
        ];
        assert_eq!(times, expected);
        assert_eq!(count(1, "test"), "1 test");
        assert_eq!(count(0, "lane"), "0 lanes");
    }
}
