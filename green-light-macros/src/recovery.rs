//! What a function becomes when something is wrong with it: still a function, so that name resolution,
//! editors and other functions see it, followed by the errors.

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostic::Errors;
use crate::function::Function;
use crate::params;

/// The user's function, called by nobody.
pub(crate) fn function(function: &Function, errors: Errors) -> TokenStream {
    let untouched = untouched(function);
    let errors = errors.into_compile_error();
    quote! {
        #untouched
        #errors
    }
}

/// The user's function, without what only the macros understand.
pub(crate) fn untouched(function: &Function) -> TokenStream {
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
