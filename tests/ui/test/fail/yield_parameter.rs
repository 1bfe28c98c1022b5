//! A test provides nothing.

use green_light::prelude::*;

#[green_light::test]
async fn saves(out: Yield<u16>) {
    out.give(1).await;
}

fn main() {}
