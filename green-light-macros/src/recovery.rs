//! What an item becomes when something is wrong with it: still an item, so that name resolution,
//! editors and other functions see it, followed by the errors.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::attr::Sorted;
use crate::crate_path::CratePath;
use crate::diagnostic::Errors;
use crate::fixture::emit::{item, marker};
use crate::function::Function;
use crate::params::{self, Param, last_segment, place};
use crate::signature;

/// The fixture's item, so that those who request it do not add errors of their own.
pub(crate) fn fixture(krate: &CratePath, function: &Function, errors: Errors) -> TokenStream {
    if function.sig.receiver().is_some() {
        // Items of ours have no place in the `impl` block around it.
        return test(function, errors);
    }
    let private = krate.private(Span::call_site());
    let sorted = Sorted::new(&function.attrs);
    let ident = &function.sig.ident;
    let marker = marker(ident);
    let item = item(&sorted, &function.vis, ident);
    let output = value(krate, function);
    let untouched = untouched(function);
    let errors = errors.into_compile_error();
    let cfg = &sorted.cfg;
    quote! {
        #item
        #cfg
        const _: () = {
            impl #private::Declared for #marker {
                type Output = #output;
                // The widest: anything may depend on it.
                const SCOPE: #private::Scope = #private::Scope::Process;
                // The one that any value may be given to.
                type Kind = #private::Narrow;
                fn definition() -> &'static #private::Definition {
                    ::core::unreachable!()
                }
            }
            const _: fn() -> #marker = #ident;
            const _: () = { #untouched };
        };
        #errors
    }
}

/// The user's function, called by nobody.
pub(crate) fn test(function: &Function, errors: Errors) -> TokenStream {
    let untouched = untouched(function);
    let errors = errors.into_compile_error();
    quote! {
        #untouched
        #errors
    }
}

/// The type of the value, or `()` if it cannot be told.
fn value(krate: &CratePath, function: &Function) -> TokenStream {
    let mut reported = Errors::default();
    let params = params::read(&mut function.sig.clone(), &mut reported);
    let yielded = params.iter().find_map(|param| match param {
        Param::Yield(_, ty) => Some(&**ty),
        _ => None,
    });
    let is_around = params.iter().any(|param| matches!(param, Param::Next(_)));
    let Some(ty) = yielded.or_else(|| function.output()) else {
        return quote!(());
    };
    let mut errors = Errors::default();
    signature::check_value(ty, &mut errors);
    if is_around || !errors.is_empty() || !function.sig.generics.params.is_empty() {
        return quote!(());
    }
    let is_result = last_segment(ty).is_some_and(|last| last.ident == "Result");
    if is_result && yielded.is_none() {
        let at = place(ty);
        let private = krate.private(at);
        quote_spanned!(at=> <#ty as #private::Fallible>::Value)
    } else {
        quote!(#ty)
    }
}

/// The user's function, without what only the macros understand.
fn untouched(function: &Function) -> TokenStream {
    let mut function = function.clone();
    let mut reported = Errors::default();
    params::read(&mut function.sig, &mut reported);
    function.attrs.retain(|attr| {
        let last = attr
            .path()
            .segments
            .last()
            .map(|last| last.ident.to_string());
        let ours = ["test", "fixture", "ignore", "should_panic"];
        !last.is_some_and(|last| ours.contains(&last.as_str()))
    });
    quote! {
        #[allow(dead_code)]
        #function
    }
}
