//! What `#[green_light::test]` becomes: a plain `#[test]` that hands a static to the runner.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::backends;
use super::case::Given;
use super::model::{Drive, Model};
use crate::attr;
use crate::call::Call;
use crate::missing;
use crate::params::{Param, Request};
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

/// The attributes of a static that the linker collects.
pub(super) fn registered(model: &Model) -> TokenStream {
    let private = model.krate.private(Span::call_site());
    quote! {
        #[#private::linkme::distributed_slice(#private::TESTS)]
        #[linkme(crate = #private::linkme)]
    }
}

/// The test as data; `body` is an expression, and `given` are others.
pub(super) fn meta(model: &Model, body: &TokenStream, given: &[TokenStream]) -> TokenStream {
    let ident = &model.function.sig.ident;
    let private = model.krate.private(Span::call_site());
    let line = span::line(ident.span());
    // As libtest has it, with `r#`.
    let path = format!("::{ident}");
    let new = quote! {
        #private::TestMeta::new(
            ::core::concat!(::core::module_path!(), #path), ::core::file!(), #line, #body,
        )
    };
    let unusual = unusual(model, given);
    if unusual.is_empty() {
        return new;
    }
    quote!(#private::TestMeta { #unusual ..#new })
}

/// The fields that a test which says nothing would not have.
fn unusual(model: &Model, given: &[TokenStream]) -> TokenStream {
    let (krate, attrs) = (&model.krate, &model.function.attrs);
    let unchecked = TokenStream::new();
    let requests = model.params.iter().filter_map(|param| match param {
        Param::Value(request) => Some(request.dependency(krate, &unchecked)),
        _ => None,
    });
    let uses = model.uses.iter();
    let uses = uses.map(|request| request.dependency(krate, &unchecked));
    let without = model.without.iter().map(|request| request.target(krate));
    let lists = [
        ("requests", requests.collect()),
        ("uses", uses.collect()),
        ("given", given.to_vec()),
        ("without", without.collect::<Vec<_>>()),
    ];
    let mut fields = TokenStream::new();
    for (field, items) in lists.iter().filter(|(_, items)| !items.is_empty()) {
        let field = format_ident!("{field}");
        fields.extend(quote!(#field: &[#(#items),*],));
    }
    if let Some(group) = &model.group {
        fields.extend(quote!(group: ::core::option::Option::Some(#group),));
    }
    if !model.context {
        fields.extend(quote!(context: false,));
    }
    if attrs.iter().any(attr::is_of_case) {
        let ignored = attr::presence(attrs, "ignore");
        let should_panic = attr::should_panic(attrs);
        fields.extend(quote!(ignored: #ignored, should_panic: #should_panic,));
    }
    if let Some(timeout) = model.timeout {
        let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let timeout = quote!(::core::time::Duration::from_millis(#milliseconds));
        fields.extend(quote!(timeout: ::core::option::Option::Some(#timeout),));
    }
    fields.extend(options(model));
    fields
}

/// What `isolation = ..` gives.
pub(super) fn isolation(model: &Model) -> Option<TokenStream> {
    let word = model.isolation.as_ref()?;
    let at = span::at(word.span());
    let root = model.krate.root(at);
    Some(quote_spanned!(at=> #root::__isolation!(#word)))
}

/// What the case gives.
fn cases(model: &Model) -> impl Iterator<Item = TokenStream> {
    model.given.iter().map(|Given { fixture, value }| {
        let at = span::at(value.span());
        let private = model.krate.private(at);
        let marker = Request::of(fixture.clone()).marker();
        quote_spanned! {at=>
            #private::Given {
                target: #private::definition_of(&#marker),
                value: || #private::give(#marker, #value),
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

/// Those that few tests have.
fn options(model: &Model) -> Option<TokenStream> {
    let private = model.krate.private(Span::call_site());
    let mut set = TokenStream::new();
    if let Some(xfail) = model.xfail {
        let xfail = format_ident!("{}", xfail.variant());
        set.extend(quote!(xfail: #private::Xfail::#xfail,));
    }
    if model.drive != Drive::Shared {
        let drive = format_ident!("{}", model.drive.variant());
        set.extend(quote!(drive: #private::Drive::#drive,));
    }
    if model.local {
        set.extend(quote!(local: true,));
    }
    if !model.meta.is_empty() {
        let pairs = model.meta.iter().map(|(key, value)| quote!((#key, #value)));
        set.extend(quote!(meta: &[#(#pairs),*],));
    }
    if set.is_empty() {
        return None;
    }
    let options = quote!(#private::Options { #set ..#private::Options::NONE });
    Some(quote!(options: #options,))
}
