//! A shared fixture that fails, inherited by several tests.

use green_light::prelude::*;

#[fixture(scope = "process")]
async fn database() -> Result<u32, std::io::Error> {
    eprintln!("this is printed once");
    Err(std::io::Error::other("disk full"))
}

#[fixture(scope = "process")]
fn panicking() -> u32 {
    panic!("no luck");
}

#[fixture]
fn table(database: &u32) -> u32 {
    *database
}

#[green_light::test]
fn a(table: u32) {
    unreachable!("{table}");
}

#[green_light::test]
fn b(database: &u32) {
    unreachable!("{database}");
}

#[green_light::test]
fn c(panicking: &u32) {
    unreachable!("{panicking}");
}

#[green_light::test]
fn d(panicking: &u32) {
    unreachable!("{panicking}");
}
