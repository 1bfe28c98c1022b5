//! Tests that have ended while something still had their connection, to be named when it is used.

use crate::mutex::Mutex;

/// How many tests are named.
const NAMED: usize = 3;

struct Left {
    test: String,
    is_held: Box<dyn Fn() -> bool + Send>,
}

static LEFT: Mutex<Vec<Left>> = Mutex::new(Vec::new());

/// Notes that `test` has ended while something still has its connection, as long as `is_held` says so.
///
/// An error that says that a connection or pool is closed then names the test. For crates of fixtures.
pub fn left_behind(test: &str, is_held: impl Fn() -> bool + Send + 'static) {
    let mut left = LEFT.lock();
    // Nearly all let go a moment later.
    left.retain(|left| (left.is_held)());
    left.push(Left {
        test: test.to_owned(),
        is_held: Box::new(is_held),
    });
}

/// Whose connection it may be that was used after its test.
pub(crate) fn advice() -> Option<String> {
    let mut left = LEFT.lock();
    left.retain(|left| (left.is_held)());
    let tests: Vec<String> = left.iter().map(|left| format!("`{}`", left.test)).collect();
    let more = tests.len().saturating_sub(NAMED);
    let mut names = tests.get(..NAMED).unwrap_or(&tests).join(", ");
    if more > 0 {
        names.push_str(&format!(" and {more} more"));
    }
    let meaning = match tests.len() {
        0 => return None,
        1 => format!("it was the connection of test {names}, which has ended"),
        _ => format!("it was the connection of a test that has ended, one of {names}"),
    };
    Some(format!(
        "{meaning}\n  help: let tasks end with their test, by `green_light::spawn` in place of `tokio::spawn`; ask for \
         the connection by name in each test that uses it, instead of keeping it in a `static`"
    ))
}
