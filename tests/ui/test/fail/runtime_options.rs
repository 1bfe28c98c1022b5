//! What a test cannot run on.

#[green_light::test(start_paused, runtime = "shared")]
async fn the_shared_clock_goes_on() {}

#[green_light::test(runtime = "multi_thread")]
async fn unknown() {}

#[green_light::test(local = true)]
async fn not_a_flag() {}

#[green_light::test(meta(rows))]
async fn not_a_pair() {}

#[green_light::test(meta(rows = 1 + 2))]
async fn not_a_literal() {}

fn main() {}
