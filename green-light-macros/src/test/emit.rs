//! What `#[green_light::test]` becomes: a plain `#[test]` that hands a static to the runner.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use super::model::Model;
use crate::attr;
use crate::call::Call;
use crate::params::Param;
use crate::span;

pub(crate) fn emit(model: &Model) -> TokenStream {
    let function = &model.function;
    let krate = &model.krate;
    let private = krate.private(Span::call_site());
    let (outer, inner): (Vec<_>, Vec<_>) =
        function.attrs.iter().cloned().partition(attr::is_of_test);
    let (vis, ident) = (&function.vis, &function.sig.ident);

    let name = function.name();
    let line = span::line(ident.span());
    let unchecked = TokenStream::new();
    let requests = model.params.iter().filter_map(|param| match param {
        Param::Value(request) => Some(request.dependency(krate, &unchecked)),
        _ => None,
    });
    let uses = model
        .uses
        .iter()
        .map(|request| request.dependency(krate, &unchecked));
    let without = model.without.iter().map(|request| request.target(krate));
    let context = model.context;
    let ignored = attr::presence(&function.attrs, "ignore");
    let should_panic = attr::presence(&function.attrs, "should_panic");
    let timeout = timeout(model);
    let body = body(model, &inner);

    quote! {
        #[::core::prelude::v1::test]
        #(#outer)*
        #vis fn #ident() {
            #body
            #[#private::linkme::distributed_slice(#private::TESTS)]
            #[linkme(crate = #private::linkme)]
            static __GREEN_LIGHT_TEST: #private::TestMeta = #private::TestMeta {
                name: #name,
                module: ::core::module_path!(),
                location: #private::Location { file: ::core::file!(), line: #line },
                requests: &[#(#requests),*],
                uses: &[#(#uses),*],
                without: &[#(#without),*],
                context: #context,
                ignored: #ignored,
                should_panic: #should_panic,
                timeout: #timeout,
                body: __green_light_body,
            };
            #private::run_test(&__GREEN_LIGHT_TEST)
        }
    }
}

fn body(model: &Model, attrs: &[syn::Attribute]) -> TokenStream {
    let call = Call {
        krate: &model.krate,
        function: &model.function,
        attrs,
        params: &model.params,
        yields: "yield_local",
    };
    call.test(model.function.output())
}

fn timeout(model: &Model) -> TokenStream {
    match model.timeout {
        None => quote!(::core::option::Option::None),
        Some(timeout) => {
            let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
            quote! {
                ::core::option::Option::Some(::core::time::Duration::from_millis(#milliseconds))
            }
        }
    }
}
