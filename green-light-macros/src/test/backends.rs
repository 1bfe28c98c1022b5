//! `backends(..)`: one test for each, in a module of the function's name.
//!
//! Everything but the functions that libtest calls stands beside that module, where the user's
//! names and paths mean what they say.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Attribute;

use super::meta::{isolation, meta, registered};
use super::model::Model;
use crate::attr;
use crate::span;

/// Emits the tests; `outer` are the attributes for libtest's functions, `body` is the test's.
pub(super) fn emit(model: &Model, outer: &[Attribute], body: &TokenStream) -> TokenStream {
    let function = &model.function;
    let private = model.krate.private(Span::call_site());
    let ident = &function.sig.ident;
    // As libtest has it, with `r#`.
    let name = ident.to_string();
    let (of_case, of_all): (Vec<_>, Vec<_>) = outer.iter().partition(|attr| attr::is_of_case(attr));
    let cfg = outer.iter().filter(|attr| attr.path().is_ident("cfg"));

    // Attributes such as `#[serial]` mean in the module what they mean beside it.
    let names = of_case.iter().any(|attr| attr::wraps_test(attr)).then(|| {
        quote!(
            #[allow(unused_imports)]
            use super::*;
        )
    });
    let meta = meta(model, body, &[]);
    let registered = registered(model);
    let statics = model.backends.iter().map(|backend| {
        let case = case(backend);
        let at = span::at(backend.span());
        let root = model.krate.root(at);
        let given = quote_spanned!(at=> #root::__backend!(#backend));
        let given: Vec<_> = isolation(model).into_iter().chain([given]).collect();
        let path = format!("::{name}::{backend}");
        quote! {
            #registered
            static #case: #private::TestMeta = #private::TestMeta {
                path: ::core::concat!(::core::module_path!(), #path),
                group: ::core::option::Option::Some(#name),
                supplied: &[#(#given),*],
                ..__GREEN_LIGHT_TEST
            };
        }
    });
    let cases = model.backends.iter().map(case);
    let tests = model.backends.iter().enumerate().map(|(index, backend)| {
        quote! {
            #[::core::prelude::v1::test]
            #(#of_case)*
            fn #backend() {
                super::#ident(#index)
            }
        }
    });
    quote! {
        #[cfg(test)]
        #(#of_all)*
        fn #ident(__green_light_case: usize) {
            const __GREEN_LIGHT_TEST: #private::TestMeta = #meta;
            #(#statics)*
            #private::run_test([#(&#cases),*][__green_light_case])
        }
        #[cfg(test)]
        #(#cfg)*
        #[allow(non_snake_case, deprecated)]
        mod #ident {
            #names
            #(#tests)*
        }
    }
}

fn case(backend: &Ident) -> Ident {
    format_ident!(
        "__GREEN_LIGHT_{}",
        backend.to_string().to_uppercase(),
        span = Span::mixed_site()
    )
}
