//! Development tasks of green-light.
fn main() {}
