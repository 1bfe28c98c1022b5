//! What is printed: colours, numbers and times as people read them, and JSON.

use std::io::{self, Write as _};
use std::time::Duration;

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

/// How long something is ago, as people say it: `12 s`, `5 min`, `3 h`, `2 d`.
pub(crate) fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// A number of bytes as people read it: `512 B`, `8.2 MB`.
pub(crate) fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let (mut size, mut unit) = (bytes as f64, "B");
    for next in ["kB", "MB", "GB", "TB"] {
        if size < 999.5 {
            break;
        }
        (size, unit) = (size / 1e3, next);
    }
    match size < 9.95 && unit != "B" {
        true => format!("{size:.1} {unit}"),
        false => format!("{size:.0} {unit}"),
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
        let ages = [5, 119, 120, 7_199, 7_200, 200_000]
            .map(Duration::from_secs)
            .map(age);
        assert_eq!(ages, ["5 s", "119 s", "2 min", "119 min", "2 h", "2 d"]);
        let sizes = [0, 999, 1_000, 8_192_000, 73_000_000, 2_500_000_000].map(bytes);
        assert_eq!(
            sizes,
            ["0 B", "999 B", "1.0 kB", "8.2 MB", "73 MB", "2.5 GB"]
        );
        assert_eq!(count(1, "test"), "1 test");
        assert_eq!(count(0, "lane"), "0 lanes");
    }
}
