//! Tests whose steps are followed with `GREEN_LIGHT_DEBUG=1`.

use green_light::prelude::*;

#[fixture(scope = "process")]
async fn address(out: Yield<u16>) {
    out.give(80).await;
    tokio::task::yield_now().await;
}

#[fixture]
fn url(address: u16) -> String {
    format!("http://localhost:{address}/")
}

#[green_light::test]
fn a_in_a_context(url: &str) {
    assert!(!url.is_empty());
}

#[green_light::test(context = false)]
fn b_without_a_context() {}
