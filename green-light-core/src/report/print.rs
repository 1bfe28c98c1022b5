//! All that is printed on stderr, without passwords.

use std::io::Write;

use crate::report::redact::text::redacted;

/// Prints text and a newline on stderr, where libtest captures it for the test of this thread.
#[expect(
    clippy::print_stderr,
    reason = "the one place that prints; libtest captures the macro only"
)]
pub(crate) fn say(text: &str) {
    eprintln!("{}", redacted(text));
}

/// Prints past the capture: for what belongs to no test.
pub(crate) fn say_to_terminal(text: &str) {
    // Nothing can be done about a closed stderr.
    let _ = writeln!(std::io::stderr(), "{}", redacted(text));
}

/// Prints a note about the running test; libtest shows it if the test fails. For crates of fixtures.
pub fn note(text: &str) {
    say(&format!("note: {text}"));
}

/// Prints at once why nothing seems to happen. For crates of fixtures.
pub fn progress(text: &str) {
    say_to_terminal(&format!("green-light: {text}"));
}
