#[cfg(test)]
/// Saves a post.
fn saves(__green_light_case: usize) {
    const __GREEN_LIGHT_TEST: ::green_light::__private::TestMeta = ::green_light::__private::TestMeta {
        requests: &[
            ::green_light::__private::Dependency::new(
                "session",
                ::green_light::__private::definition_of(&session()),
            ),
        ],
        ignored: false,
        should_panic: ::core::option::Option::Some(""),
        ..::green_light::__private::TestMeta::new(
            ::core::concat!(::core::module_path!(), "::saves"),
            ::core::file!(),
            1u32,
            |__green_light_setup| {
                let __green_light_0 = __green_light_setup.take(0usize, session());
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
                    async fn saves(session: Session) {
                        session.save().await;
                    }
                    ::green_light::__private::infallible(
                        ::std::boxed::Box::pin(
                            saves(::green_light::__private::by_value(__green_light_0)),
                        ),
                    )
                }
            },
        )
    };
    #[::green_light::__private::linkme::distributed_slice(
        ::green_light::__private::TESTS
    )]
    #[linkme(crate = ::green_light::__private::linkme)]
    static __GREEN_LIGHT_SQLITE: ::green_light::__private::TestMeta = ::green_light::__private::TestMeta {
        path: ::core::concat!(::core::module_path!(), "::saves::sqlite"),
        group: ::core::option::Option::Some("saves"),
        supplied: &[
            ::green_light::__isolation!(database),
            ::green_light::__backend!(sqlite),
        ],
        ..__GREEN_LIGHT_TEST
    };
    #[::green_light::__private::linkme::distributed_slice(
        ::green_light::__private::TESTS
    )]
    #[linkme(crate = ::green_light::__private::linkme)]
    static __GREEN_LIGHT_POSTGRES: ::green_light::__private::TestMeta = ::green_light::__private::TestMeta {
        path: ::core::concat!(::core::module_path!(), "::saves::postgres"),
        group: ::core::option::Option::Some("saves"),
        supplied: &[
            ::green_light::__isolation!(database),
            ::green_light::__backend!(postgres),
        ],
        ..__GREEN_LIGHT_TEST
    };
    ::green_light::__private::run_test(
        [&__GREEN_LIGHT_SQLITE, &__GREEN_LIGHT_POSTGRES][__green_light_case],
    )
}
#[cfg(test)]
#[allow(non_snake_case, deprecated)]
mod saves {
    #[::core::prelude::v1::test]
    #[should_panic]
    fn sqlite() {
        super::saves(0usize)
    }
    #[::core::prelude::v1::test]
    #[should_panic]
    fn postgres() {
        super::saves(1usize)
    }
}
