//! Refuses a test whose parameters an attribute above has dropped: no fixture would be set up.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::diagnostic::Errors;
use crate::function::Function;
use crate::source::{self, Written};
use crate::span;

/// Checks a function without parameters.
pub(super) fn check(function: &Function, errors: &mut Errors) {
    let ident = &function.sig.ident;
    let is_generated = span::is_before(function.sig.paren_token.span.open(), ident.span());
    if !function.sig.inputs.is_empty() || !is_generated {
        return;
    }
    // The user's own body: the first block behind the name, at any depth.
    let Some(own) = behind(function.body.stream(), ident) else {
        return;
    };
    if let Some(Written::Parameters(inputs)) = source::parameters(own.span_open())
        && !inputs.is_empty()
    {
        errors.refuse(
            ident,
            "an attribute above has taken the parameters of this test away, so no fixture would be \
             set up",
            "move it below `#[green_light::test]`",
        );
    }
}

fn behind(tokens: TokenStream, ident: &syn::Ident) -> Option<Group> {
    tokens.into_iter().find_map(|tree| match tree {
        TokenTree::Group(group) => {
            let is_block = group.delimiter() == Delimiter::Brace;
            if is_block && span::is_before(ident.span(), group.span_open()) {
                Some(group)
            } else {
                behind(group.stream(), ident)
            }
        }
        _ => None,
    })
}
