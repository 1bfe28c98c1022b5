//! What `#[green_light::test]` becomes: a plain `#[test]` that hands a static to the runner.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::backends;
use super::case::Given;
use super::model::{Drive, Model};
use crate::attr;
use crate::call::Call;
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
    let meta = meta(model, &given);
    quote! {
        #[::core::prelude::v1::test]
        #(#outer)*
        #vis fn #ident() {
            #body
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

/// The test as data; `given` are expressions.
pub(super) fn meta(model: &Model, given: &[TokenStream]) -> TokenStream {
    let function = &model.function;
    let krate = &model.krate;
    let private = krate.private(Span::call_site());
    let line = span::line(function.sig.ident.span());
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
    let should_panic = attr::should_panic(&function.attrs);
    let timeout = timeout(model);
    let options = options(model);
    // As libtest has it, with `r#`.
    let path = format!("::{}", function.sig.ident);
    let group = match &model.group {
        Some(group) => quote!(::core::option::Option::Some(#group)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        #private::TestMeta {
            path: ::core::concat!(::core::module_path!(), #path),
            group: #group,
            location: #private::Location { file: ::core::file!(), line: #line },
            requests: &[#(#requests),*],
            uses: &[#(#uses),*],
            given: &[#(#given),*],
            without: &[#(#without),*],
            context: #context,
            ignored: #ignored,
            should_panic: #should_panic,
            timeout: #timeout,
            options: #options,
            body: __green_light_body,
        }
    }
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
        yields: "yield_local",
    };
    call.test(model.function.output())
}

/// Those that few tests have.
fn options(model: &Model) -> TokenStream {
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
        return quote!(#private::Options::NONE);
    }
    quote!(#private::Options { #set ..#private::Options::NONE })
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
