#[::core::prelude::v1::test]
fn case_1() {
    #[::green_light::__private::linkme::distributed_slice(
        ::green_light::__private::TESTS
    )]
    #[linkme(crate = ::green_light::__private::linkme)]
    static __GREEN_LIGHT_TEST: ::green_light::__private::TestMeta = ::green_light::__private::TestMeta {
        requests: &[
            ::green_light::__private::Dependency::new(
                "session",
                ::green_light::__private::definition_of(&session()),
            ),
            ::green_light::__private::Dependency::new(
                "most",
                ::green_light::__private::definition_of(&limit()),
            ),
        ],
        supplied: &[
            ::green_light::__private::Supplied {
                target: ::green_light::__private::definition_of(&limit()),
                value: || ::green_light::__private::supply(limit(), 1),
            },
        ],
        group: ::core::option::Option::Some("saves"),
        ..::green_light::__private::TestMeta::new(
            ::core::concat!(::core::module_path!(), "::case_1"),
            ::core::file!(),
            1u32,
            |__green_light_setup| {
                let __green_light_0 = __green_light_setup.take(0usize, session());
                let __green_light_1 = __green_light_setup.take(1usize, limit());
                {
                    #[cfg_attr(
                        clippy,
                        allow(
                            clippy::borrowed_box,
                            clippy::needless_pass_by_ref_mut,
                            clippy::needless_pass_by_value,
                            clippy::ptr_arg,
                            clippy::ref_option,
                            clippy::too_many_arguments,
                            clippy::trivially_copy_pass_by_ref,
                            clippy::future_not_send,
                            clippy::unused_async,
                            clippy::single_call_fn
                        )
                    )]
                    async fn case_1(session: Session, most: u32) {
                        let title = "a";
                        saves(most, title, session).await
                    }
                    ::green_light::__private::infallible(
                        ::std::boxed::Box::pin(
                            case_1(
                                ::green_light::__private::by_value(__green_light_0),
                                ::green_light::__private::by_value(__green_light_1),
                            ),
                        ),
                    )
                }
            },
        )
    };
    ::green_light::__private::run_test(&__GREEN_LIGHT_TEST)
}
