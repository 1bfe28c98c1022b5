//! A test as data: the `TestMeta` that core runs.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::model::{Model, RuntimeChoice};
use crate::attr;
use crate::params::Param;
use crate::span;

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
        ("supplied", given.to_vec()),
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

/// Those that few tests have.
fn options(model: &Model) -> Option<TokenStream> {
    let private = model.krate.private(Span::call_site());
    let mut set = TokenStream::new();
    if let Some(xfail) = model.xfail {
        let xfail = format_ident!("{}", xfail.variant());
        set.extend(quote!(xfail: #private::Xfail::#xfail,));
    }
    if model.drive != RuntimeChoice::Shared {
        let drive = format_ident!("{}", model.drive.variant());
        set.extend(quote!(runtime: #private::RuntimeChoice::#drive,));
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
