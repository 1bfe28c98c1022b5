//! Shared fixtures that no planned test ends: the process exits while tests are still to come.

use green_light::prelude::*;

#[fixture(scope = "process")]
async fn server(out: Yield<u16>) -> Result<(), String> {
    out.give(80).await;
    Err("the server does not stop".to_owned())
}

#[green_light::test]
fn a_uses_it(server: u16) {
    assert_eq!(server, 80);
}

#[green_light::test]
fn b_exits() {
    std::process::exit(0);
}
