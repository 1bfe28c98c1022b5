//! `uses!` is a list of fixtures.

green_light::uses!();

green_light::uses!("author");

fn plain() {}

green_light::uses!(plain);

fn main() {}
