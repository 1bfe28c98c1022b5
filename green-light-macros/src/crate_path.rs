//! `crate = path`: where the expansion finds green-light.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::Path;

use crate::span;

/// The crate that the user's manifest calls green-light; `::green_light` unless told otherwise.
#[derive(Clone, Default)]
pub(crate) struct CratePath(Option<Path>);

impl CratePath {
    pub(crate) fn new(path: Path) -> Self {
        Self(Some(path))
    }

    /// The crate itself, for the hidden macros at its root.
    pub(crate) fn root(&self, span: Span) -> TokenStream {
        match &self.0 {
            None => quote_spanned!(span=> ::green_light),
            Some(path) => span::moved(path.to_token_stream(), span),
        }
    }

    /// The only module that generated code names, spelled at `span` so that a type error in a call
    /// is reported there.
    pub(crate) fn private(&self, span: Span) -> TokenStream {
        let root = self.root(span);
        quote_spanned!(span=> #root::__private)
    }
}
