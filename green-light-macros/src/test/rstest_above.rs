//! Refuses a test whose parameters `#[rstest]`, standing above, takes for fixtures of its own.
//!
//! ```text
//! async fn case_1() {
//!     let name = "ann";
//!     let session = session::default();
//!     signs_up(name, session).await
//! }
//! ```

use quote::ToTokens;
use syn::{Block, Expr, ExprCall, ExprPath, Ident, Local, Pat, Stmt, parse_quote};

use crate::diagnostic::Errors;
use crate::function::Function;
use crate::span;

/// Whether the function calls fixtures as those of rstest are called; its body is gone then, as
/// rustc would not find them.
pub(super) fn check(function: &mut Function, errors: &mut Errors) -> bool {
    if !span::is_before(function.body.span_open(), function.sig.ident.span()) {
        return false;
    }
    let Ok(body) = syn::parse2::<Block>(function.body.to_token_stream()) else {
        return false;
    };
    let mut found = false;
    for stmt in &body.stmts {
        if let Stmt::Local(local) = stmt
            && let Some(ident) = fixture(local)
        {
            found = true;
            errors.refuse(
                ident,
                format!("`#[rstest]` takes `{ident}` for a fixture of rstest, which it is not"),
                "leave `#[rstest]` out, since `#[green_light::test]` calls rstest for `#[case]` and \
                 `#[values]`; or write it below `#[green_light::test]`",
            );
        }
    }
    if found {
        let gone: Block = parse_quote!({ ::core::unreachable!() });
        if let Ok(gone) = syn::parse2(gone.into_token_stream()) {
            function.body = gone;
        }
    }
    found
}

/// The name in `let name = name::default()`.
fn fixture(local: &Local) -> Option<&Ident> {
    let Pat::Ident(pat) = &local.pat else {
        return None;
    };
    let Expr::Call(ExprCall { func, args, .. }) = &*local.init.as_ref()?.expr else {
        return None;
    };
    let Expr::Path(ExprPath { path, .. }) = &**func else {
        return None;
    };
    let mut segments = path.segments.iter().rev().map(|segment| &segment.ident);
    let (called, fixture) = (segments.next()?, segments.next()?);
    let name = pat.ident.to_string();
    let is_named = fixture == &pat.ident || name.strip_prefix('_') == Some(&fixture.to_string());
    (called == "default" && args.is_empty() && is_named).then_some(&pat.ident)
}
