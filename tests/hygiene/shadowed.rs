//! The names that generated code could trip over mean something else here.

#![allow(dead_code, unused_macros, reason = "they only stand in the way")]

use green_light::{Yield, fixture};

mod core {}
mod std {}
mod alloc {}
mod green_light_core {}

struct Option;
struct Some;
struct None;
struct Ok;
struct Err;
struct Box;
struct Fixture;
struct Definition;
struct Setup;

trait Future {}
trait Clone {}

macro_rules! line {
    () => {
        compile_error!("not this one")
    };
}
macro_rules! file {
    () => {
        compile_error!("not this one")
    };
}
macro_rules! module_path {
    () => {
        compile_error!("not this one")
    };
}

mod outcome {
    pub(super) type Result<T> = ::core::result::Result<T, ::std::string::String>;
}

#[fixture(scope = "module")]
fn port() -> outcome::Result<u16> {
    "8080".parse().map_err(|error| format!("{error}"))
}

#[fixture(overrides = port, scope = "process", reach = "module")]
fn other_port() -> u16 {
    9090
}

#[fixture]
async fn given(out: Yield<u32>, port: u16) -> outcome::Result<()> {
    out.give(u32::from(port) + 1).await;
    ::core::result::Result::Ok(())
}

#[green_light::test(timeout = "60s")]
async fn resolves_fixtures(given: &u32) -> outcome::Result<()> {
    assert_eq!(*given, 9091);
    ::core::result::Result::Ok(())
}

#[green_light::test(isolation = transaction, backends(sqlite))]
async fn one_for_each_backend(given: &u32) {
    assert_eq!(*given, 9091);
}

#[green_light::test]
#[case(9091)]
fn has_cases(#[case] wanted: u32, given: u32) {
    assert_eq!(wanted, given);
}

trait Default {}

#[fixture(fresh)]
fn factory(#[default(1)] number: u32) -> u32 {
    number
}

#[green_light::test]
fn takes_fresh_values(
    factory: u32,
    #[from(factory)]
    #[with(number = 2)]
    other: &mut u32,
) {
    *other += factory;
    assert_eq!(*other, 3);
}
