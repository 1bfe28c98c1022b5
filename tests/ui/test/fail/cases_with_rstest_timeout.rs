#[green_light::test]
#[case(1)]
#[timeout(std::time::Duration::from_secs(1))]
fn waits(#[case] _number: u32) {}

fn main() {}
