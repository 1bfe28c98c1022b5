//! A test wraps nothing.

use green_light::prelude::*;

#[green_light::test]
async fn saves(next: Next<'_>) {
    let _ = next.run().await;
}

fn main() {}
