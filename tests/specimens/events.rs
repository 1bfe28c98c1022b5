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

#[green_light::test]
fn d_skips() {
    green_light::skip("no printer");
}

#[green_light::test(xfail)]
fn e_fails_as_expected() {
    panic!("not yet");
}

#[green_light::test(xfail)]
fn f_passes_unexpectedly() {}

#[green_light::test(xfail = "strict")]
fn g_must_not_pass() {}

#[fixture]
fn not_here() {
    green_light::skip("not here");
}

#[green_light::test(uses(not_here))]
fn h_skips_in_a_fixture() {}
