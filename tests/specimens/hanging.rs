//! A shared fixture that no planned test ends, and that does not end itself.

use green_light::prelude::*;

#[fixture(scope = "process")]
async fn server(out: Yield<u16>) {
    out.give(80).await;
    std::future::pending::<()>().await;
}

#[green_light::test]
fn a_uses_it(server: u16) {
    assert_eq!(server, 80);
}

#[green_light::test]
fn b_exits() {
    std::process::exit(0);
}
