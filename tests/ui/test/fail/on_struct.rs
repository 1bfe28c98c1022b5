//! The attribute belongs on a function.

#[green_light::test]
struct Saves;

fn main() {}
