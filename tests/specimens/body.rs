//! Bodies that fail.

use green_light::prelude::*;

#[fixture]
async fn torn_down(out: Yield<u32>) {
    out.give(1).await;
    eprintln!("torn down");
}

#[green_light::test]
async fn panics(torn_down: u32) {
    tokio::task::yield_now().await;
    assert_eq!(torn_down, 2, "one is not two");
}

#[green_light::test]
fn returns_an_error(torn_down: u32) -> Result<(), std::num::ParseIntError> {
    let _ = torn_down;
    "x".parse::<u32>().map(drop)
}

#[green_light::test]
fn returns_a_boxed_error() -> Result<(), Box<dyn std::error::Error>> {
    Err("boxed".into())
}
