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

mod without_a_scope {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use green_light::prelude::*;

    static MADE: AtomicUsize = AtomicUsize::new(0);

    #[fixture(scope = "process")]
    pub fn store() -> Vec<u32> {
        vec![1]
    }

    /// Neither `Send` nor `Sync`.
    #[fixture]
    pub fn tally() -> Rc<Cell<u32>> {
        Rc::new(Cell::new(1))
    }

    #[fixture]
    async fn opened(store: &[u32], out: Yield<usize>) -> Result<(), String> {
        out.give(store.len()).await;
        Ok(())
    }

    #[fixture(overrides = store)]
    async fn own_store(#[from(store)] before: &[u32], out: Yield<Vec<u32>>) -> Result<(), String> {
        MADE.fetch_add(1, Ordering::Relaxed);
        out.give([before, &[2]].concat()).await;
        Ok(())
    }

    #[fixture(overrides = tally)]
    fn own_tally(#[from(tally)] before: &Rc<Cell<u32>>) -> Rc<Cell<u32>> {
        Rc::new(Cell::new(before.get() + 1))
    }

    mod below {
        use super::*;

        #[fixture(overrides = own_tally)]
        fn third_tally(#[from(tally)] before: &Rc<Cell<u32>>) -> Rc<Cell<u32>> {
            Rc::new(Cell::new(before.get() + 10))
        }

        #[green_light::test]
        fn an_override_of_an_override_has_the_scope_of_the_first(tally: Rc<Cell<u32>>) {
            assert_eq!(tally.replace(0), 12);
        }

        #[green_light::test]
        fn and_is_made_for_each_test(#[from(third_tally)] tally: &Rc<Cell<u32>>) {
            assert_eq!(tally.replace(0), 12);
        }
    }

    #[green_light::test]
    fn an_override_has_the_scope_of_what_it_overrides(store: &[u32], opened: usize) {
        assert_eq!(store, [1, 2]);
        assert_eq!(opened, 2);
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }

    #[green_light::test]
    fn so_tests_share_its_value(#[from(own_store)] store: Vec<u32>, tally: &Rc<Cell<u32>>) {
        assert_eq!(store, [1, 2]);
        assert_eq!(tally.replace(0), 2);
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }

    #[green_light::test]
    #[case(vec![3])]
    #[case(vec![4, 5])]
    fn a_case_is_given_to_an_override(
        #[case]
        #[from(own_store)]
        given: Vec<u32>,
        opened: usize,
    ) {
        assert_eq!(given.len(), opened);
    }
}
