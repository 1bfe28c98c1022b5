//! Where rustc points when generated code does not fit the user's: at the user's own token.

use proc_macro2::{Group, Span, TokenStream, TokenTree};

/// The place of `span`, resolved as if the attribute itself had been written there: errors land on
/// the user's token, lints see generated code.
pub(crate) fn at(span: Span) -> Span {
    span.resolved_at(Span::call_site())
}

/// The line of `span` in the user's file.
///
/// `line!()` in an expansion is that of the attribute, above the docs. Outside of a compiler, as in
/// our unit tests, there is no file and every line is the first.
pub(crate) fn line(span: Span) -> u32 {
    if !proc_macro::is_available() {
        return 1;
    }
    u32::try_from(span.unwrap().line()).unwrap_or(u32::MAX)
}

/// Whether one place is before another in the same file.
pub(crate) fn is_before(one: Span, other: Span) -> bool {
    if !proc_macro::is_available() {
        return false;
    }
    let (one, other) = (one.unwrap(), other.unwrap());
    one.file() == other.file() && (one.line(), one.column()) < (other.line(), other.column())
}

/// The same tokens, reported at the place of `span` but still resolved where they were written.
pub(crate) fn moved(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|tree| match tree {
            TokenTree::Group(group) => {
                let mut new = Group::new(group.delimiter(), moved(group.stream(), span));
                new.set_span(span.resolved_at(group.span()));
                TokenTree::Group(new)
            }
            mut tree => {
                let resolved = span.resolved_at(tree.span());
                tree.set_span(resolved);
                tree
            }
        })
        .collect()
}
