#[doc(hidden)]
#[must_use = "a fixture is not called, but requested: by a parameter of its name"]
pub struct __request_author_as_a_parameter {
    _private: (),
}
/// Ann.
pub const fn author() -> __request_author_as_a_parameter {
    __request_author_as_a_parameter {
        _private: (),
    }
}
const _: () = {
    impl ::green_light::__private::Declared for __request_author_as_a_parameter {
        type Output = <Result<
            Model,
            DbErr,
        > as ::green_light::__private::Fallible>::Value;
        const SCOPE: ::green_light::__private::Scope = ::green_light::__private::Scope::Module;
        type Kind = ::green_light::__private::Shared;
        fn definition() -> &'static ::green_light::__private::Definition {
            &__GREEN_LIGHT_FIXTURE
        }
    }
    #[::green_light::__private::linkme::distributed_slice(
        ::green_light::__private::LISTED
    )]
    #[linkme(crate = ::green_light::__private::linkme)]
    static __GREEN_LIGHT_LISTED: ::green_light::__private::Listed = ::green_light::__private::Listed {
        name: "author",
        module: ::core::module_path!(),
        location: ::green_light::__private::Location {
            file: ::core::file!(),
            line: 1u32,
        },
        docs: "Ann.",
        scope: ::green_light::__private::Scope::Module,
        around: false,
        value: ::green_light::__private::ValueType::of::<
            <Result<Model, DbErr> as ::green_light::__private::Fallible>::Value,
        >,
    };
    static __GREEN_LIGHT_FIXTURE: ::green_light::__private::Definition = ::green_light::__private::Definition {
        name: "author",
        module: ::core::module_path!(),
        in_tests: ::core::cfg!(test),
        location: ::green_light::__private::Location {
            file: ::core::file!(),
            line: 1u32,
        },
        docs: "Ann.",
        scope: ::green_light::__private::Scope::Module,
        autouse: false,
        fresh: false,
        reach: ::green_light::__private::Reach::Module,
        overrides: ::core::option::Option::None,
        dependencies: &[
            ::green_light::__private::Dependency::new(
                "session",
                {
                    ::green_light::__private::check_scope(
                        &session(),
                        ::green_light::__private::Scope::Module,
                        "fixture `author` (scope `module`) cannot depend on `session` (scope `test`), which ends first\nhelp: give `session` scope `module`, or `author` scope `test`",
                        "",
                        "",
                    );
                    ::green_light::__private::definition_of(&session())
                },
            ),
            ::green_light::__private::Dependency::new(
                "now",
                {
                    ::green_light::__private::check_scope(
                        &time::clock(),
                        ::green_light::__private::Scope::Module,
                        "fixture `author` (scope `module`) cannot depend on `clock` (scope `test`), which ends first\nhelp: give `clock` scope `module`, or `author` scope `test`",
                        "",
                        "",
                    );
                    ::green_light::__private::definition_of(&time::clock())
                },
            ),
        ],
        value: ::green_light::__private::value_of::<__request_author_as_a_parameter>,
        tears_down: false,
        is_async: true,
        body: ::green_light::__private::Body::Value(|__green_light_setup| ::std::boxed::Box::pin(async move {
            let __green_light_0 = __green_light_setup.value(0usize, session());
            let __green_light_1 = __green_light_setup.take(1usize, time::clock());
            let __green_light_value = {
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
                async fn author(session: &Session, now: Clock) -> Result<Model, DbErr> {
                    Model::ann(session, now).await
                }
                author(
                        &*__green_light_0,
                        ::green_light::__private::by_value(__green_light_1),
                    )
                    .await
            };
            match <Result<
                Model,
                DbErr,
            > as ::green_light::__private::Fallible>::into_result(__green_light_value) {
                ::core::result::Result::Ok(__green_light_value) => {
                    __green_light_setup.give_shared(__green_light_value);
                    ::core::result::Result::Ok(())
                }
                ::core::result::Result::Err(__green_light_error) => {
                    use ::green_light::__private::{
                        RenderBoxed as _, RenderDebug as _, RenderError as _,
                    };
                    ::core::result::Result::Err((&&&__green_light_error).failure())
                }
            }
        })),
        instances: ::green_light::__private::Counter::new(),
    };
    const _: fn() -> __request_author_as_a_parameter = author;
};
