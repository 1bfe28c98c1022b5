//! The same option twice.

#[green_light::test(context = false, context = true)]
async fn saves() {}

fn main() {}
