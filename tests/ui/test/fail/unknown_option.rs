//! An option that does not exist, near to one that does.

#[green_light::test(time_out = "5s")]
async fn saves() {}

#[green_light::test(scope = "test")]
async fn loads() {}

fn main() {}
