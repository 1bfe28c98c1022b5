#[doc(hidden)]
#[must_use = "a fixture is not called, but requested: by a parameter of its name"]
pub struct __request_search_as_a_parameter {
    _private: (),
}
pub const fn search() -> __request_search_as_a_parameter {
    __request_search_as_a_parameter {
        _private: (),
    }
}
const _: () = {
    impl ::green_light::__private::Declared for __request_search_as_a_parameter {
        type Output = <Result<Url, Error> as ::green_light::__private::Fallible>::Value;
        const SCOPE: ::green_light::__private::Scope = ::green_light::__private::Scope::Run;
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
        name: "search",
        module: ::core::module_path!(),
        location: ::green_light::__private::Location {
            file: ::core::file!(),
            line: 1u32,
        },
        docs: "",
        scope: ::green_light::__private::Scope::Run,
        around: false,
        value: ::green_light::__private::ValueType::of::<
            <Result<Url, Error> as ::green_light::__private::Fallible>::Value,
        >,
    };
    #[::green_light::__private::linkme::distributed_slice(
        ::green_light::__private::KEPT
    )]
    #[linkme(crate = ::green_light::__private::linkme)]
    static __GREEN_LIGHT_KEPT: fn() -> &'static ::green_light::__private::Definition = ||
    &__GREEN_LIGHT_FIXTURE;
    static __GREEN_LIGHT_FIXTURE: ::green_light::__private::Definition = ::green_light::__private::Definition {
        name: "search",
        module: ::core::module_path!(),
        in_tests: ::core::cfg!(test),
        location: ::green_light::__private::Location {
            file: ::core::file!(),
            line: 1u32,
        },
        docs: "",
        scope: ::green_light::__private::Scope::Run,
        autouse: false,
        fresh: false,
        reach: ::green_light::__private::Reach::Module,
        overrides: ::core::option::Option::None,
        dependencies: &[
            ::green_light::__private::Dependency::new(
                "container",
                {
                    ::green_light::__private::check_scope(
                        &container(),
                        ::green_light::__private::Scope::Run,
                        "fixture `search` (scope `run`) cannot depend on `container` (scope `test`), which ends first\nhelp: give `container` scope `run`, or `search` scope `test`",
                        "fixture `search` (scope `run`) cannot depend on `container` (scope `module`), which ends first\nhelp: give `container` scope `run`, or `search` scope `module`",
                        "fixture `search` (scope `run`) cannot depend on `container` (scope `process`), which ends first\nhelp: give `container` scope `run`, or `search` scope `process`",
                    );
                    ::green_light::__private::definition_of(&container())
                },
            ),
        ],
        value: ::green_light::__private::value_of::<__request_search_as_a_parameter>,
        tears_down: false,
        is_async: false,
        body: ::green_light::__private::Body::Run(
            |__green_light_setup| ::std::boxed::Box::pin(async move {
                let __green_light_0 = __green_light_setup.value(0usize, container());
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
                            clippy::missing_const_for_fn,
                            clippy::single_call_fn
                        )
                    )]
                    fn search(container: &Container) -> Result<Url, Error> {
                        container.search()
                    }
                    ::green_light::__private::synchronous(|| search(&*__green_light_0))
                };
                match <Result<
                    Url,
                    Error,
                > as ::green_light::__private::Fallible>::into_result(
                    __green_light_value,
                ) {
                    ::core::result::Result::Ok(__green_light_value) => {
                        __green_light_setup.give_run(__green_light_value);
                        ::core::result::Result::Ok(())
                    }
                    ::core::result::Result::Err(__green_light_error) => {
                        use ::green_light::__private::{
                            RenderBoxed as _, RenderDebug as _, RenderError as _,
                        };
                        ::core::result::Result::Err((&&&__green_light_error).failure())
                    }
                }
            }),
            ::green_light::__private::decoder::<
                <Result<Url, Error> as ::green_light::__private::Fallible>::Value,
            >(),
        ),
        instances: ::green_light::__private::Counter::new(),
    };
    const _: fn() -> __request_search_as_a_parameter = search;
};
