//! `#[green_light::test]`: parse, check, emit.

mod args;
mod backends;
mod check;
mod emit;
mod model;

use proc_macro2::TokenStream;
use quote::quote;

use crate::function::Function;
use crate::recovery;

/// Expands `#[green_light::test(args)] item`.
pub(crate) fn expand(args: TokenStream, item: &TokenStream) -> TokenStream {
    let function = match Function::parse("green_light::test", item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#item #error);
        }
    };
    match check::check(args::Args::parse(args), function.clone()) {
        Ok(model) => emit::emit(&model),
        Err(errors) => recovery::test(&function, errors),
    }
}
