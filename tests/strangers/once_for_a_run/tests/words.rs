//! The first of two test programs.

mod common;

use common::{Search, ask, is_the_only_one, search};

#[green_light::test]
fn finds_a_word(search: &Search) -> std::io::Result<()> {
    assert_eq!(ask(search.address, "word")?, "found word");
    assert!(is_the_only_one(search)?);
    Ok(())
}

#[green_light::test]
async fn finds_a_name(search: &Search) -> std::io::Result<()> {
    assert_eq!(ask(search.address, "name")?, "found name");
    assert!(is_the_only_one(search)?);
    Ok(())
}
