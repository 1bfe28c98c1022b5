//! Requests that set parameters of fixtures.

use green_light::prelude::*;

#[fixture]
fn user(#[default("ann".to_owned())] name: String) -> String {
    name
}

#[fixture]
fn greeting(#[with(name = "bob".to_owned())] user: &str) -> String {
    format!("hello {user}")
}

fn broken() -> String {
    panic!("no name");
}

#[green_light::test]
fn a_argument_that_panics(#[with(name = broken())] user: &str) {
    unreachable!("{user}");
}

mod overridden {
    use super::{greeting, user};
    use green_light::prelude::*;

    #[fixture(overrides = user)]
    fn eve() -> String {
        "eve".to_owned()
    }

    #[green_light::test]
    fn b_argument_for_an_override(greeting: &str) {
        unreachable!("{greeting}");
    }
}
