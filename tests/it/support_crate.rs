//! Fixtures from another crate.

use support::sentence;

#[green_light::test]
fn an_autouse_fixture_at_its_root_reaches_every_test() {
    assert!(support::greeted());
}

#[green_light::test(without(support::greeting))]
fn and_can_be_left_out() {
    assert!(!support::greeted());
}

#[green_light::test]
fn a_fixture_is_requested_by_an_imported_name(sentence: &str) {
    assert_eq!(sentence, "the answer is 42");
}

#[green_light::test]
fn a_fixture_is_requested_by_its_path(#[from(support::answer)] number: u32) {
    assert_eq!(number, 42);
}

mod overridden {
    use green_light::prelude::*;
    use support::sentence;

    #[fixture(overrides = support::answer, scope = "process")]
    fn answer() -> u32 {
        43
    }

    #[green_light::test]
    fn its_fixtures_use_an_override_of_ours(sentence: &str) {
        assert_eq!(sentence, "the answer is 43");
    }
}
