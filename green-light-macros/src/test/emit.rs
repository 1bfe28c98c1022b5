//! What `#[green_light::test]` becomes: a plain `#[test]` that hands a static to the runner.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::backends;
use super::meta::{isolation, meta, registered};
use super::model::{Model, Supplied};
use crate::attr;
use crate::call::Call;
use crate::missing;
use crate::params::Request;
use crate::span;

pub(crate) fn emit(model: &Model) -> TokenStream {
    let (outer, inner): (Vec<_>, Vec<_>) = model
        .function
        .attrs
        .iter()
        .cloned()
        .partition(attr::is_of_test);
    let body = body(model, &inner);
    if !model.backends.is_empty() {
        return backends::emit(model, &outer, &body);
    }
    let (vis, ident) = (&model.function.vis, &model.function.sig.ident);
    let private = model.krate.private(Span::call_site());
    let given: Vec<_> = isolation(model).into_iter().chain(cases(model)).collect();
    let registered = registered(model);
    let meta = meta(model, &body, &given);
    let missing = missing::checks(&model.function, &model.params, false);
    let missing = (!missing.is_empty()).then(|| {
        let cfg = outer.iter().filter(|attr| attr.path().is_ident("cfg"));
        quote! {
            #[cfg(test)]
            #(#cfg)*
            const _: () = { #missing };
        }
    });
    quote! {
        #missing
        #[::core::prelude::v1::test]
        #(#outer)*
        #vis fn #ident() {
            #registered
            static __GREEN_LIGHT_TEST: #private::TestMeta = #meta;
            #private::run_test(&__GREEN_LIGHT_TEST)
        }
    }
}

/// What the case gives.
fn cases(model: &Model) -> impl Iterator<Item = TokenStream> {
    model.given.iter().map(|Supplied { fixture, value }| {
        let at = span::at(value.span());
        let private = model.krate.private(at);
        let marker = Request::of(fixture.clone()).marker();
        quote_spanned! {at=>
            #private::Supplied {
                target: #private::definition_of(&#marker),
                value: || #private::supply(#marker, #value),
            }
        }
    })
}

fn body(model: &Model, attrs: &[syn::Attribute]) -> TokenStream {
    let call = Call {
        krate: &model.krate,
        function: &model.function,
        attrs,
        params: &model.params,
        yields: String::new(),
        inherits_scope: false,
    };
    call.test(model.function.output())
}
