//! A file of the name of this crate, with the glob of rstest.

#![allow(unused_imports)]

use green_light::prelude::*;
use rstest::*;

// Both have a `#[fixture]`.
use green_light::fixture;

mod shop {
    /// Not ours.
    pub struct Session;
    pub fn session() -> Session {
        Session
    }
}

#[fixture]
fn title() -> String {
    "Emma".to_owned()
}

#[green_light::test]
#[case("Emma")]
async fn is_found(#[case] wanted: &str, title: &str, session: &Session) {
    let _ = session;
    let shop::Session = shop::session();
    assert_eq!(title, wanted);
}
