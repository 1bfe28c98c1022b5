#[::core::prelude::v1::test]
/// Saves a post.
#[should_panic]
fn saves() {
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
                "_author",
                ::green_light::__private::definition_of(&author()),
            ),
        ],
        uses: &[
            ::green_light::__private::Dependency::new(
                "mailbox",
                ::green_light::__private::definition_of(&mailbox()),
            ),
        ],
        without: &[::green_light::__private::definition_of(&tracing())],
        context: false,
        ignored: false,
        should_panic: ::core::option::Option::Some(""),
        timeout: ::core::option::Option::Some(
            ::core::time::Duration::from_millis(5000u64),
        ),
        ..::green_light::__private::TestMeta::new(
            ::core::concat!(::core::module_path!(), "::saves"),
            ::core::file!(),
            1u32,
            |__green_light_setup| {
                let __green_light_0 = __green_light_setup.take(0usize, session());
                let __green_light_1 = __green_light_setup.value(1usize, author());
                let __green_light_2 = __green_light_setup.request();
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
                    #[instrument]
                    async fn saves(
                        session: Session,
                        _author: &Model,
                        request: &Request,
                    ) -> Result<(), DbErr> {
                        session.save(request.test_name()).await
                    }
                    ::green_light::__private::fallible(
                        ::std::boxed::Box::pin(
                            saves(
                                ::green_light::__private::by_value(__green_light_0),
                                &*__green_light_1,
                                __green_light_2,
                            ),
                        ),
                        |__green_light_error| {
                            use ::green_light::__private::{
                                RenderBoxed as _, RenderDebug as _, RenderError as _,
                            };
                            (&&&__green_light_error).failure()
                        },
                    )
                }
            },
        )
    };
    ::green_light::__private::run_test(&__GREEN_LIGHT_TEST)
}
