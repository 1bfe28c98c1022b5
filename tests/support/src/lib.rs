//! Fixtures in a crate of their own, as several crates would share them.

use std::cell::Cell;

use green_light::prelude::*;

thread_local! {
    static GREETED: Cell<bool> = const { Cell::new(false) };
}

/// Reaches every test of the binaries that link this crate, since it stands at the root.
#[fixture(autouse)]
pub fn greeting() {
    GREETED.set(true);
}

/// Whether [`greeting`] ran on this thread.
#[must_use]
pub fn greeted() -> bool {
    GREETED.get()
}

/// A shared fixture to request from elsewhere.
#[fixture(scope = "process")]
pub fn answer() -> u32 {
    42
}

/// A fixture with a dependency that its users can override.
#[fixture(scope = "process")]
pub fn sentence(answer: &u32) -> String {
    format!("the answer is {answer}")
}

/// Below the root of a crate, an autouse fixture reaches the tests of that crate only.
pub mod inner {
    use green_light::prelude::*;

    /// Would fail every test it reached.
    #[fixture(autouse)]
    pub fn stays_inside() {
        panic!("reached a test of another crate");
    }
}

/// Where a word is from.
#[fixture]
pub fn origin() -> &'static str {
    "a fixture"
}

/// For every test of the binaries that link this crate.
#[fixture(overrides = origin)]
pub fn own_origin() -> &'static str {
    "an override of this crate"
}
