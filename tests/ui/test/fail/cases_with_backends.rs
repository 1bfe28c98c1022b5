#[green_light::test(backends(sqlite))]
#[case(1)]
async fn saves(#[case] _number: u32) {}

fn main() {}
