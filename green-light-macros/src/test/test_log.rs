//! `#[test_log::test]` above `#[green_light::test]`.
//!
//! It puts a block in front of the body that starts the log, and adds the plain `#[test]`, since it
//! knows no other. The block stays, and the plain attribute goes: ours brings it.

use quote::ToTokens;
use syn::{Block, Expr, Item, Stmt};

use crate::function::Function;

/// Takes the plain `#[test]` off, if that is where it comes from.
pub(super) fn restore(function: &mut Function) {
    if starts_log(function) {
        function.attrs.retain(|attr| {
            let path = attr.path().to_token_stream().to_string().replace(' ', "");
            path != "::core::prelude::v1::test"
        });
    }
}

/// Whether the body begins with `{ mod init { .. } init::init(); }`.
fn starts_log(function: &Function) -> bool {
    let Ok(block) = syn::parse2::<Block>(function.body.to_token_stream()) else {
        return false;
    };
    let Some(Stmt::Expr(Expr::Block(first), _)) = block.stmts.first() else {
        return false;
    };
    matches!(
        first.block.stmts.first(),
        Some(Stmt::Item(Item::Mod(module))) if module.ident == "init"
    )
}
