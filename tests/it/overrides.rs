//! Replacing a fixture for the tests of a module.

use green_light::prelude::*;

#[fixture]
fn name() -> String {
    "ann".to_owned()
}

#[fixture]
fn greeting(name: &str) -> String {
    format!("hello {name}")
}

#[fixture(scope = "process")]
fn port() -> u16 {
    80
}

#[fixture(scope = "process")]
fn address(port: &u16) -> String {
    format!("localhost:{port}")
}

#[green_light::test]
fn without_an_override_the_original_is_used(greeting: &str, address: &str) {
    assert_eq!(greeting, "hello ann");
    assert_eq!(address, "localhost:80");
}

mod overridden {
    use super::{address, greeting};
    use green_light::prelude::*;

    #[fixture(overrides = super::name)]
    fn name(#[from(super::name)] name: &str) -> String {
        format!("{name} and bob")
    }

    #[fixture(overrides = super::port, scope = "process")]
    fn port() -> u16 {
        8080
    }

    #[green_light::test]
    fn fixtures_declared_elsewhere_get_the_override(greeting: &str) {
        assert_eq!(greeting, "hello ann and bob");
    }

    #[green_light::test]
    fn shared_values_are_kept_apart_by_what_they_were_built_from(address: &str) {
        assert_eq!(address, "localhost:8080");
    }

    mod deeper {
        use super::super::greeting;
        use green_light::prelude::*;

        #[fixture(overrides = super::name)]
        fn name(#[from(super::name)] name: &str) -> String {
            format!("{name} and eve")
        }

        #[green_light::test]
        fn the_nearest_override_wins_and_builds_on_the_next(greeting: &str) {
            assert_eq!(greeting, "hello ann and bob and eve");
        }
    }
}

mod untouched {
    use super::{address, greeting};

    #[green_light::test]
    fn a_sibling_module_sees_nothing_of_it(greeting: &str, address: &str) {
        assert_eq!(greeting, "hello ann");
        assert_eq!(address, "localhost:80");
    }
}
