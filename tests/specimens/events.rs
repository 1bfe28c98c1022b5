//! One test of each outcome, for the event log and `GREEN_LIGHT_SHOW`.

use green_light::prelude::*;

#[fixture(scope = "process")]
async fn server(out: Yield<u16>) {
    out.give(80).await;
}

#[fixture(scope = "module")]
fn address(server: &u16) -> String {
    format!("localhost:{server}")
}

#[fixture]
async fn client(address: &str, request: &Request, out: Yield<String>) {
    request.on_teardown(async {});
    out.give(format!("client of {address}")).await;
}

#[fixture]
fn broken(client: &str) -> Result<u32, String> {
    Err(format!("{client} is broken"))
}

#[green_light::test]
fn a_passes(client: &str) {
    assert_eq!(client, "client of localhost:80");
}

#[green_light::test]
fn b_fails(client: &str) {
    panic!("{client} is unhappy");
}

#[green_light::test]
fn c_errs(broken: u32) {
    unreachable!("{broken}");
}
