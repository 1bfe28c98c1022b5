//! The second of two test programs.

mod common;

use common::{Search, ask, is_the_only_one, search};

#[green_light::test]
fn finds_a_number(search: &Search) -> std::io::Result<()> {
    assert_ne!(search.process, std::process::id());
    assert_eq!(ask(search.address, "1234")?, "found 1234");
    assert!(is_the_only_one(search)?);
    Ok(())
}
