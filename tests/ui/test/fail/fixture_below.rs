//! A test is not a fixture.

use green_light::prelude::*;

#[green_light::test]
#[fixture]
async fn saves() {}

fn main() {}
