//! Every form a test can have.

use green_light::prelude::*;

#[fixture]
fn author() -> String {
    "ann".to_owned()
}

#[green_light::test]
fn synchronous() {}

#[green_light::test]
async fn explicit_unit() -> () {}

#[green_light::test(uses(author), without(author), context = false, timeout = "1.5s")]
pub async fn with_options(_author: String, request: &Request) -> std::io::Result<()> {
    let _ = request;
    Ok(())
}

#[green_light::test]
#[ignore]
#[should_panic(expected = "reason")]
async fn with_attributes() -> Result<(), String> {
    Err("reason".to_owned())
}

fn main() {}
