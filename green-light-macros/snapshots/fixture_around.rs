const fn traced() -> __green_light_traced {
    __green_light_traced {
        _private: (),
    }
}
#[doc(hidden)]
struct __green_light_traced {
    _private: (),
}
const _: () = {
    impl lamp::__private::Declared for __green_light_traced {
        type Output = ();
        const SCOPE: lamp::__private::Scope = lamp::__private::Scope::Test;
        type Kind = lamp::__private::Narrow;
        fn definition() -> &'static lamp::__private::Definition {
            &__GREEN_LIGHT_FIXTURE
        }
    }
    #[lamp::__private::linkme::distributed_slice(lamp::__private::FIXTURES)]
    #[linkme(crate = lamp::__private::linkme)]
    static __GREEN_LIGHT_FIXTURE: lamp::__private::Definition = lamp::__private::Definition {
        name: "traced",
        module: ::core::module_path!(),
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
        value: lamp::__private::value_of::<__green_light_traced>,
        tears_down: false,
        is_async: true,
        body: lamp::__private::Body::Around(|__green_light_next, __green_light_request| ::std::boxed::Box::pin(async move {
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
                async fn traced(next: Next<'_>, request: &Request) -> Outcome {
                    next.run().instrument(span(request)).await
                }
                traced(__green_light_next, &__green_light_request).await
            }
        })),
        instances: lamp::__private::Counter::new(),
    };
    const _: fn() -> __green_light_traced = traced;
};
