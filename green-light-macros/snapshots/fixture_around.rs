#[doc(hidden)]
#[must_use = "a fixture is not called, but requested: by a parameter of its name"]
struct __request_traced_as_a_parameter {
    _private: (),
}
#[cfg_attr(clippy, allow(clippy::single_call_fn))]
const fn traced() -> __request_traced_as_a_parameter {
    __request_traced_as_a_parameter {
        _private: (),
    }
}
const _: () = {
    impl lamp::__private::Declared for __request_traced_as_a_parameter {
        type Output = ();
        const SCOPE: lamp::__private::Scope = lamp::__private::Scope::Test;
        type Kind = lamp::__private::PerTest;
        fn definition() -> &'static lamp::__private::Definition {
            &__GREEN_LIGHT_FIXTURE
        }
    }
    #[lamp::__private::linkme::distributed_slice(lamp::__private::FIXTURES)]
    #[linkme(crate = lamp::__private::linkme)]
    static __GREEN_LIGHT_FIXTURE: lamp::__private::Definition = lamp::__private::Definition {
        name: "traced",
        module: ::core::module_path!(),
        in_tests: ::core::cfg!(test),
        location: lamp::__private::Location {
            file: ::core::file!(),
            line: 1u32,
        },
        docs: "",
        scope: lamp::__private::Scope::Test,
        autouse: true,
        fresh: false,
        reach: lamp::__private::Reach::Module,
        overrides: ::core::option::Option::None,
        dependencies: &[],
        value: lamp::__private::value_of::<__request_traced_as_a_parameter>,
        tears_down: false,
        is_async: true,
        body: lamp::__private::Body::Around(|__green_light_next, __green_light_request| ::std::boxed::Box::pin(async move {
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
                async fn traced(next: Next<'_>, request: &Request) -> Outcome {
                    next.run().instrument(span(request)).await
                }
                traced(__green_light_next, &__green_light_request).await
            }
        })),
        instances: lamp::__private::Counter::new(),
    };
    const _: fn() -> __request_traced_as_a_parameter = traced;
};
