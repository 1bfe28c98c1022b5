//! Either it ought to pass one day, or it has to panic.

#[green_light::test(xfail)]
#[should_panic]
fn both() {}

#[green_light::test(xfail = "sometimes")]
fn unknown() {}

fn main() {}
