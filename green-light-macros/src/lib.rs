//! Macros of green-light: `#[fixture]` and `#[test]`. Use them through the `green-light` crate,
//! where they are documented.
//!
//! Each goes parse → model → check → emit. What they emit is data and one call; behaviour is in
//! `green-light-core`.

mod attr;
mod call;
mod crate_path;
mod diagnostic;
mod elsewhere;
mod fixture;
mod function;
mod missing;
mod options;
mod params;
mod recovery;
mod setting;
mod signature;
#[cfg(test)]
mod snapshots;
mod source;
mod span;
mod stacked;
mod test;
mod uses;

use proc_macro::TokenStream;

/// Declares a fixture. Documented in the `green-light` crate.
#[proc_macro_attribute]
pub fn fixture(args: TokenStream, item: TokenStream) -> TokenStream {
    fixture::expand(args.into(), &item.into()).into()
}

/// Declares a test that requests fixtures. Documented in the `green-light` crate.
#[proc_macro_attribute]
pub fn test(args: TokenStream, item: TokenStream) -> TokenStream {
    test::expand(args.into(), &item.into()).into()
}

/// Requests fixtures for all tests of a module. Documented in the `green-light` crate.
#[proc_macro]
pub fn uses(args: TokenStream) -> TokenStream {
    uses::expand(args.into()).into()
}
