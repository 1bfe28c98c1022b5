#[::core::prelude::v1::test]
#[ignore = "later"]
fn saves() {
    #[::green_light::__private::linkme::distributed_slice(
        ::green_light::__private::TESTS
    )]
    #[linkme(crate = ::green_light::__private::linkme)]
    static __GREEN_LIGHT_TEST: ::green_light::__private::TestMeta = ::green_light::__private::TestMeta {
        ignored: true,
        should_panic: ::core::option::Option::None,
        ..::green_light::__private::TestMeta::new(
            ::core::concat!(::core::module_path!(), "::saves"),
            ::core::file!(),
            1u32,
            |__green_light_setup| {
                {
                    #[cfg_attr(
                        clippy,
                        allow(
                            clippy::future_not_send,
                            clippy::unused_async,
                            clippy::single_call_fn
                        )
                    )]
                    async fn saves() {
                        assert!(true);
                    }
                    ::green_light::__private::infallible(::std::boxed::Box::pin(saves()))
                }
            },
        )
    };
    ::green_light::__private::run_test(&__GREEN_LIGHT_TEST)
}
