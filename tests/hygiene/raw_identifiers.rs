//! Names that are keywords.

use green_light::fixture;

#[fixture]
fn r#type() -> &'static str {
    "type"
}

#[fixture]
fn r#match(r#type: &'static str, _type: &str) -> String {
    ["match", r#type].join(" ")
}

#[green_light::test]
async fn r#async(
    r#match: &str,
    _type: &str,
    #[from(r#type)] again: &'static str,
    request: &green_light::Request,
) {
    // As libtest has it.
    assert_eq!(request.test_name(), Some("r#async"));
    assert_eq!(r#match, "match type");
    assert_eq!(again, "type");
}

#[green_light::test]
fn has_its_plain_name(request: &green_light::Request) {
    assert_eq!(request.test_name(), Some("has_its_plain_name"));
}

#[green_light::test(backends(sqlite))]
fn r#const(request: &green_light::Request) {
    assert_eq!(request.test_name(), Some("r#const::sqlite"));
}

#[green_light::test]
fn r#struct(#[values(1)] one: u32, r#type: &str, request: &green_light::Request) {
    assert_eq!((one, r#type), (1, "type"));
    assert!(request.test_name().unwrap().starts_with("r#struct::"));
}

#[fixture(fresh)]
fn r#loop(#[default(1)] r#fn: u32) -> u32 {
    r#fn
}

#[green_light::test]
fn arguments_are_raw(#[with(r#fn = 2)] r#loop: u32) {
    assert_eq!(r#loop, 2);
}
