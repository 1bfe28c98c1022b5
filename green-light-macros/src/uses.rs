//! `uses!(a, b)`: fixtures for all tests of a module.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, Path, Token};

use crate::crate_path::CratePath;
use crate::params::Request;
use crate::span;

struct Args {
    fixtures: Vec<Request>,
    krate: CratePath,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self, Error> {
        let mut args = Self {
            fixtures: Vec::new(),
            krate: CratePath::default(),
        };
        while !input.is_empty() {
            if input.peek(Token![crate]) && input.peek2(Token![=]) {
                Ident::parse_any(input)?;
                input.parse::<Token![=]>()?;
                args.krate = CratePath::new(input.call(Path::parse_mod_style)?);
            } else {
                let path = input.call(Path::parse_mod_style).map_err(|error| {
                    Error::new(
                        error.span(),
                        "expected the path of a fixture\nhelp: write `uses!(first, path::to::second)`",
                    )
                })?;
                args.fixtures.push(Request::of(path));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if args.fixtures.is_empty() {
            return Err(Error::new(
                Span::call_site(),
                "`uses!` needs at least one fixture\nhelp: write `uses!(first, path::to::second)`",
            ));
        }
        Ok(args)
    }
}

/// Expands `uses!(args)`.
pub(crate) fn expand(args: TokenStream) -> TokenStream {
    let Args { fixtures, krate } = match syn::parse2(args) {
        Ok(args) => args,
        Err(error) => return error.into_compile_error(),
    };
    let private = krate.private(Span::call_site());
    let line = span::line(Span::call_site());
    let unchecked = TokenStream::new();
    let fixtures = fixtures
        .iter()
        .map(|request| request.dependency(&krate, &unchecked));
    quote! {
        const _: () = {
            #[#private::linkme::distributed_slice(#private::USES)]
            #[linkme(crate = #private::linkme)]
            static __GREEN_LIGHT_USES: #private::ModuleUses = #private::ModuleUses {
                module: ::core::module_path!(),
                in_tests: ::core::cfg!(test),
                location: #private::Location { file: ::core::file!(), line: #line },
                fixtures: &[#(#fixtures),*],
            };
        };
    }
}
