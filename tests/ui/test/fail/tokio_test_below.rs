//! Two attributes that both make a test.

#[green_light::test]
#[tokio::test]
async fn saves() {}

#[green_light::test]
#[test]
fn loads() {}

#[green_light::test]
#[green_light::test]
fn deletes() {}

fn main() {}
