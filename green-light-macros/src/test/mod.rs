//! `#[green_light::test]`: parse, check, emit.

mod args;
mod backends;
mod case;
mod cases;
mod check;
mod emit;
mod lost;
mod meta;
mod model;
mod rstest_above;
mod serial;
mod test_log;

use proc_macro2::TokenStream;
use quote::quote;

use crate::function::Function;
use crate::recovery;
use crate::stacked;

/// Expands `#[green_light::test(args)] item`.
pub(crate) fn expand(args: TokenStream, item: &TokenStream) -> TokenStream {
    let mut function = match Function::parse("green_light::test", item) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#item #error);
        }
    };
    let mut options = args::Args::parse(args.clone());
    serial::restore(&mut function, &mut options.errors);
    test_log::restore(&mut function);
    let is_rstests = rstest_above::check(&mut function, &mut options.errors);
    // A second attribute that makes a test is refused as one.
    if !is_rstests && !function.attrs.iter().any(stacked::is_test) {
        lost::check(&function, &mut options.errors);
    }
    if cases::has_cases(&function) {
        let mut rest = function.clone();
        return cases::hand_over(args, options, function).unwrap_or_else(|errors| {
            cases::strip(&mut rest);
            recovery::function(&rest, errors)
        });
    }
    match check::check(options, function.clone()) {
        Ok(model) => emit::emit(&model),
        Err(errors) => recovery::function(&function, errors),
    }
}
