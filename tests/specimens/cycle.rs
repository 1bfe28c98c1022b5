//! Fixtures that need each other.

use green_light::prelude::*;

#[fixture]
fn hen(egg: u32) -> u32 {
    egg
}

#[fixture]
fn egg(nest: u32) -> u32 {
    nest
}

#[fixture]
fn nest(hen: u32) -> u32 {
    hen
}

#[green_light::test]
fn needs_a_hen(hen: u32) {
    unreachable!("{hen}");
}
