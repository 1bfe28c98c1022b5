//! Another attribute that makes a test, above ours: it would run first, without the fixtures.

#[tokio::test]
#[green_light::test]
async fn saves() {}

fn main() {}
