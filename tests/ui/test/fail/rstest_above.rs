//! `#[rstest]` above: rstest looks for fixtures of its own.

use green_light::prelude::*;
use rstest::rstest;

#[rstest]
#[green_light::test]
async fn reads(session: Session) {}

#[rstest]
#[case("Ann")]
#[green_light::test]
async fn finds(#[case] name: &str, session: Session) -> Result<(), String> {
    Ok(())
}

fn main() {}
