#[::core::prelude::v1::test]
#[ignore = "later"]
fn saves() {
    fn __green_light_body(
        __green_light_setup: &::green_light::__private::Setup,
    ) -> ::green_light::__private::SetupFuture<'_> {
        {
            #[cfg_attr(clippy, allow(clippy::unused_async))]
            async fn saves() {
                assert!(true);
            }
            ::green_light::__private::infallible(::std::boxed::Box::pin(saves()))
        }
    }
    #[::green_light::__private::linkme::distributed_slice(
        ::green_light::__private::TESTS
    )]
    #[linkme(crate = ::green_light::__private::linkme)]
    static __GREEN_LIGHT_TEST: ::green_light::__private::TestMeta = ::green_light::__private::TestMeta {
        path: ::core::concat!(::core::module_path!(), "::saves"),
        group: ::core::option::Option::None,
        location: ::green_light::__private::Location {
            file: ::core::file!(),
            line: 1u32,
        },
        requests: &[],
        uses: &[],
        given: &[],
        without: &[],
        context: true,
        ignored: true,
        should_panic: ::core::option::Option::None,
        timeout: ::core::option::Option::None,
        options: ::green_light::__private::Options::NONE,
        body: __green_light_body,
    };
    ::green_light::__private::run_test(&__GREEN_LIGHT_TEST)
}
