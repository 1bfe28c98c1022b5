//! A timeout has a number and a unit.

#[green_light::test(timeout = "5 fortnights")]
async fn unknown_unit() {}

#[green_light::test(timeout = 5)]
async fn no_unit() {}

#[green_light::test(timeout = "0s")]
async fn nothing() {}

fn main() {}
