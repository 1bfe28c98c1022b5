//! Attributes of the user and lints about signatures: what fixtures dictate is no mistake.

use std::sync::Arc;

use green_light::prelude::*;

/// Documented, and never requested by anything.
#[fixture(autouse)]
pub(crate) fn unused() -> u8 {
    0
}

#[fixture]
#[must_use]
async fn text() -> String {
    "text".to_owned()
}

#[fixture]
fn list() -> Vec<u8> {
    vec![1]
}

#[fixture]
fn boxed() -> Box<dyn Fn() -> u8 + Send> {
    Box::new(|| 2)
}

#[fixture]
fn optional() -> Option<String> {
    None
}

#[fixture]
fn small() -> u8 {
    3
}

#[fixture(scope = "process")]
fn shared() -> Arc<str> {
    Arc::from("shared")
}

#[fixture]
#[expect(non_snake_case, reason = "fulfilled once, by the function")]
fn Loud() -> u8 {
    let Very = 3;
    Very + 1
}

#[fixture]
#[cfg(any())]
fn absent(no_such_fixture: u8) -> NoSuchType {}

#[fixture]
#[deprecated = "use something else"]
fn old() -> u8 {
    5
}

#[green_light::test]
#[expect(non_snake_case, reason = "fulfilled once")]
fn takes_what_fixtures_give(
    text: &String,
    list: &Vec<u8>,
    boxed: &Box<dyn Fn() -> u8 + Send>,
    optional: &Option<String>,
    small: &u8,
    shared: Arc<str>,
    Loud: u8,
    #[from(text)] owned: String,
) {
    assert_eq!(*text, owned);
    assert_eq!((list.len(), boxed(), optional, *small), (1, 2, &None, 3));
    assert_eq!((&*shared, Loud), ("shared", 4));
}

#[green_light::test]
#[allow(deprecated)]
async fn may_use_a_deprecated_fixture(old: u8) {
    assert_eq!(old, 5);
}

/// A documented test.
#[green_light::test]
#[should_panic(expected = "on purpose")]
async fn panics_as_announced(small: u8) {
    assert_eq!(small, 4, "on purpose");
}

#[green_light::test]
#[ignore = "never runs"]
async fn stays_ignored() {
    unreachable!("libtest does not run it");
}

#[green_light::test]
#[cfg_attr(all(), ignore = "never runs")]
async fn stays_ignored_by_a_condition() {
    unreachable!("libtest does not run it");
}

#[green_light::test]
#[cfg(any())]
async fn is_not_there(no_such_fixture: u8) {}

/// A documented test for each backend.
#[green_light::test(backends(sqlite))]
#[expect(non_snake_case, reason = "fulfilled once")]
#[deprecated = "use something else"]
fn For_each_backend(Loud: u8) {
    assert_eq!(Loud, 4);
}

/// A documented test with cases.
#[green_light::test]
#[case(3)]
fn has_cases(
    #[case]
    #[from(small)]
    wanted: u8,
    #[values("text")] expected: &str,
    mut text: String,
) {
    text.push('!');
    assert_eq!((wanted, &text[..4]), (3, expected));
}

/// Documented, and with a parameter that nobody sets.
#[fixture(fresh)]
pub(crate) fn factory(#[default(None)] _name: Option<String>, #[default(1)] size: u8) -> Vec<u8> {
    vec![size]
}

#[green_light::test]
async fn takes_fresh_values(
    factory: Vec<u8>,
    #[from(factory)]
    #[with(size = 2, name = Some(String::new()))]
    other: &mut Vec<u8>,
) {
    other.extend(factory);
    assert_eq!(*other, [2, 1]);
}
