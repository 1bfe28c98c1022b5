//! A test is a plain function.

#[green_light::test]
async unsafe fn not_safe() {}

#[green_light::test]
const fn not_const() {}

#[green_light::test]
extern "C" fn not_extern() {}

fn main() {}
