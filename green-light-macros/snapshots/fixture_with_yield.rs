#[doc(hidden)]
#[must_use = "a fixture is not called, but requested: by a parameter of its name"]
struct __request_mailer_as_a_parameter {
    _private: (),
}
#[cfg_attr(clippy, allow(clippy::single_call_fn))]
const fn mailer() -> __request_mailer_as_a_parameter {
    __request_mailer_as_a_parameter {
        _private: (),
    }
}
const _: () = {
    impl ::green_light::__private::Declared for __request_mailer_as_a_parameter {
        type Output = Mailer;
        const SCOPE: ::green_light::__private::Scope = ::green_light::__private::Scope::Process;
        type Kind = ::green_light::__private::Shared;
        fn definition() -> &'static ::green_light::__private::Definition {
            &__GREEN_LIGHT_FIXTURE
        }
    }
    #[::green_light::__private::linkme::distributed_slice(
        ::green_light::__private::FIXTURES
    )]
    #[linkme(crate = ::green_light::__private::linkme)]
    static __GREEN_LIGHT_FIXTURE: ::green_light::__private::Definition = ::green_light::__private::Definition {
        name: "mailer",
        module: ::core::module_path!(),
        in_tests: ::core::cfg!(test),
        location: ::green_light::__private::Location {
            file: ::core::file!(),
            line: 1u32,
        },
        docs: "",
        scope: ::green_light::__private::Scope::Process,
        autouse: false,
        fresh: false,
        reach: ::green_light::__private::Reach::Crate,
        overrides: ::core::option::Option::Some(
            ::green_light::__private::definition_of(&crate::mail::mailer()),
        ),
        dependencies: &[],
        value: ::green_light::__private::value_of::<__request_mailer_as_a_parameter>,
        tears_down: true,
        is_async: true,
        body: ::green_light::__private::Body::Value(|__green_light_setup| ::std::boxed::Box::pin(async move {
            let __green_light_0 = __green_light_setup.yield_shared::<Mailer>();
            let __green_light_1 = __green_light_setup.request();
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
                async fn mailer(out: Yield<Mailer>, request: &Request) {
                    let server = MailServer::start(request.module_path()).await;
                    out.give(server.mailer()).await;
                    server.stop().await;
                }
                mailer(__green_light_0, __green_light_1).await
            };
            ::core::result::Result::Ok(())
        })),
        instances: ::green_light::__private::Counter::new(),
    };
    const _: fn() -> __request_mailer_as_a_parameter = mailer;
    const _: () = ::green_light::__private::check_override(
        &crate::mail::mailer(),
        ::green_light::__private::Scope::Process,
        "fixture `mailer` (scope `process`) cannot override `mailer` (scope `module`): it would end before the fixtures that depend on it\nhelp: write `scope = \"module\"`",
        "fixture `mailer` (scope `process`) cannot override `mailer` (scope `process`): it would end before the fixtures that depend on it\nhelp: write `scope = \"process\"`",
        "fixture `mailer` (scope `process`) cannot override `mailer` (scope `run`): it would end before the fixtures that depend on it\nhelp: write `scope = \"run\"`",
    );
    const _: () = ::green_light::__private::check_override_kind(
        &crate::mail::mailer(),
        false,
        "fixture `mailer` cannot override `mailer`, which is `fresh`: those who request it may change the value\nhelp: write `#[fixture(fresh, overrides = ..)]`",
        "fixture `mailer` is `fresh`, and cannot override `mailer`, whose value all who request it share\nhelp: remove `fresh`",
    );
    const _: () = ::green_light::__private::check_override_type(
        &crate::mail::mailer(),
        || -> <__request_mailer_as_a_parameter as ::green_light::__private::Fixture>::Output {
            ::core::unreachable!()
        },
    );
};
