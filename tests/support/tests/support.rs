//! Tests in a file with the name of its library, so that both crates have the same module paths.

use green_light::prelude::*;
use support::origin;

#[green_light::test]
fn fixtures_of_the_library_reach_it() {
    assert!(support::greeted());
}

#[fixture(overrides = origin)]
fn nearest() -> &'static str {
    "an override of the tests"
}

#[green_light::test]
fn an_override_here_is_nearer_than_one_of_the_library(origin: &'static str) {
    assert_eq!(origin, "an override of the tests");
}

/// The library has a module of this path, whose autouse fixture fails.
mod inner {
    #[green_light::test]
    fn a_module_of_the_library_is_another() {
        assert!(support::greeted());
    }
}
