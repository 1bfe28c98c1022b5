//! Nothing in scope: no prelude, no macros, no green-light.

#![no_implicit_prelude]

#[::green_light::fixture(scope = "process")]
async fn port() -> ::core::result::Result<u16, ::std::io::Error> {
    ::core::result::Result::Ok(8080)
}

#[::green_light::fixture]
async fn address(out: ::green_light::Yield<::std::string::String>, port: u16) {
    out.give(::std::format!("localhost:{port}")).await;
}

#[::green_light::fixture(around)]
async fn wrapped(next: ::green_light::Next<'_>) -> ::green_light::Outcome {
    next.run().await
}

#[::green_light::test(uses(wrapped))]
async fn resolves_fixtures(
    port: u16,
    address: &str,
    request: &::green_light::Request,
) -> ::core::result::Result<(), ::std::io::Error> {
    ::std::assert_eq!(port, 8080);
    ::std::assert_eq!(address, "localhost:8080");
    ::std::assert_eq!(
        request.test_name(),
        ::core::option::Option::Some("resolves_fixtures")
    );
    ::core::result::Result::Ok(())
}

#[::green_light::test(isolation = transaction, backends(sqlite))]
async fn one_for_each_backend(port: u16) {
    ::std::assert_eq!(port, 8080);
}

#[::green_light::test]
#[case(8080)]
fn has_cases(#[case] wanted: u16, port: u16) {
    ::std::assert_eq!(wanted, port);
}

#[::green_light::fixture(fresh)]
async fn factory(#[default(1)] number: u32, out: ::green_light::Yield<u32>) {
    out.give(number).await;
}

#[::green_light::test]
async fn takes_fresh_values(
    factory: u32,
    #[from(factory)]
    #[with(number = 2)]
    other: &mut u32,
) {
    *other += factory;
    ::std::assert_eq!(*other, 3);
}
