#[::core::prelude::v1::test]
#[ignore = "later"]
fn saves() {
    #[::green_light::__private::linkme::distributed_slice(
        ::green_light::__private::TESTS
    )]
    #[linkme(crate = ::green_light::__private::linkme)]
    static __GREEN_LIGHT_TEST: ::green_light::__private::TestMeta = ::green_light::__private::TestMeta {
        name: "saves",
        module: ::core::module_path!(),
        location: ::green_light::__private::Location {
            file: ::core::file!(),
            line: 1u32,
        },
        requests: &[],
        uses: &[],
        without: &[],
        context: true,
        ignored: true,
        should_panic: false,
        timeout: ::core::option::Option::None,
        body: |__green_light_setup| ::std::boxed::Box::pin(async move {
            {
                #[cfg_attr(
                    clippy,
                    allow(
                        clippy::borrowed_box,
                        clippy::needless_pass_by_value,
                        clippy::ptr_arg,
                        clippy::ref_option,
                        clippy::too_many_arguments,
                        clippy::trivially_copy_pass_by_ref,
                        clippy::unused_async
                    )
                )]
                async fn saves() {
                    assert!(true);
                }
                saves().await
            };
            ::core::result::Result::Ok(())
        }),
    };
    ::green_light::__private::run_test(&__GREEN_LIGHT_TEST)
}
