//! green-light under another name, as a renamed dependency has it.

use green_light as lamp;

mod nested {
    pub(super) mod testing {
        pub(in super::super) use green_light::*;
    }
}

#[lamp::fixture(crate = lamp, scope = "module")]
async fn port(out: lamp::Yield<u16>) -> Result<(), String> {
    out.give(8080).await;
    Ok(())
}

#[lamp::fixture(crate = nested::testing)]
fn address(port: u16) -> Result<String, String> {
    match port {
        0 => Err("no port".to_owned()),
        port => Ok(format!("localhost:{port}")),
    }
}

#[lamp::test(crate = crate::renamed::nested::testing, uses(port))]
async fn resolves_fixtures(address: &str) -> Result<(), String> {
    assert_eq!(address, "localhost:8080");
    Ok(())
}

#[lamp::test(crate = nested::testing, isolation = transaction, backends(sqlite))]
async fn one_for_each_backend(address: &str) {
    assert_eq!(address, "localhost:8080");
}

#[lamp::test(crate = nested::testing, rstest = rstest::rstest)]
#[case(8080)]
fn has_cases(#[case] wanted: u16, port: u16, #[from(self::address)] text: &str) {
    assert_eq!(wanted, port);
    assert!(text.ends_with("8080"));
}

#[lamp::fixture(crate = lamp, fresh)]
fn counter(#[default(1)] start: u32) -> Vec<u32> {
    vec![start]
}

#[lamp::test(crate = nested::testing)]
async fn takes_fresh_values(#[with(start = 2)] counter: &mut Vec<u32>) {
    counter.push(0);
    assert_eq!(*counter, [2, 0]);
}
