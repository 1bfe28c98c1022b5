#[green_light::test]
async fn saves(#[default(1)] _number: u32) {}

fn main() {}
