//! One case of a test, as rstest hands it back: a function whose body binds the case's values and
//! calls the user's.
//!
//! ```text
//! async fn case_1(session: Session) {
//!     let name = "ann";
//!     signs_up(name, session).await
//! }
//! ```
//!
//! A value that a fixture is given has to be known before the body runs. So its `let` moves from
//! the body into the data of the test, and the body gets it as it gets any fixture.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Attribute, Block, Expr, ExprCall, ExprPath, FnArg, Pat, Stmt, parse_quote};

use super::args::Args;
use super::model::Supplied;
use crate::function::{Function, mentions};
use crate::span;

/// Applies the options that stand for attributes of parameters, and takes what is given out of the
/// body.
pub(super) fn read(args: &mut Args, function: &mut Function) -> Vec<Supplied> {
    read_with(args, function);
    let mut given = Vec::new();
    let handed = std::mem::take(&mut args.handed_given);
    let mut body = if handed.is_empty() {
        None
    } else {
        block(function)
    };
    for (ident, ty) in handed {
        let from = args.handed_from.iter().find(|(of, _)| *of == ident);
        let value = body.as_mut().and_then(|body| unbind(body, &ident));
        let (Some((_, fixture)), Some(value)) = (from, value) else {
            args.errors.refuse(
                &ident,
                format!("this version of rstest does not say what `{ident}` is"),
                "use rstest 0.28",
            );
            continue;
        };
        function.sig.inputs.push(parse_quote!(#ident: #ty));
        given.push(Supplied {
            fixture: fixture.clone(),
            value,
        });
    }
    if let Some(body) = body
        && let Ok(body) = syn::parse2(body.into_token_stream())
    {
        function.body = body;
    }
    let from = std::mem::take(&mut args.from).into_iter();
    for (ident, path) in from.chain(std::mem::take(&mut args.handed_from)) {
        if let Some(attrs) = param(function, &ident) {
            attrs.push(parse_quote!(#[from(#path)]));
        } else if block(function).is_some_and(|body| binding(&body, &ident).is_some()) {
            args.errors.refuse(
                &ident,
                format!("`{ident}` is a case, and comes too late for a fixture"),
                "leave `#[rstest]` out and write `#[from(..)]` on the parameter: \
                 `#[green_light::test]` calls rstest by itself",
            );
        } else {
            args.errors.refuse(
                &ident,
                format!("the test has no parameter `{ident}`"),
                "write `from(param = path::to::fixture)`, or `#[from(path::to::fixture)]` on the \
                 parameter",
            );
        }
    }
    given
}

/// Applies `with(..)`. The values may use the case's, which are bound in the body.
fn read_with(args: &mut Args, function: &mut Function) {
    let with = std::mem::take(&mut args.with).into_iter();
    for (ident, mut arguments) in with.chain(std::mem::take(&mut args.handed_with)) {
        let is_case = args.is_handed || is_generated(function);
        let body = if is_case { block(function) } else { None };
        for argument in &mut arguments {
            let value = argument.value.to_token_stream();
            let bound = body.iter().flat_map(|body| &body.stmts);
            let needed: Vec<_> = bound
                .filter(|stmt| match stmt {
                    Stmt::Local(local) => match &local.pat {
                        Pat::Ident(pat) => mentions(value.clone(), &pat.ident),
                        _ => false,
                    },
                    _ => false,
                })
                .collect();
            if !needed.is_empty() {
                argument.value = parse_quote!({ #(#needed)* #value });
            }
        }
        if let Some(attrs) = param(function, &ident) {
            attrs.push(parse_quote!(#[with(#(#arguments),*)]));
        } else {
            args.errors.refuse(
                &ident,
                format!("the test has no parameter `{ident}`"),
                "write `with(param(name = value))`, or `#[with(name = value)]` on the parameter",
            );
        }
    }
}

/// Takes `mut` off the parameters: rstest writes it on those of the case, which only pass them on.
pub(super) fn unmark_mut(function: &mut Function) {
    for input in &mut function.sig.inputs {
        if let FnArg::Typed(typed) = input
            && let Pat::Ident(pat) = &mut *typed.pat
        {
            pat.mutability = None;
        }
    }
}

/// The attributes of a parameter.
fn param<'a>(function: &'a mut Function, name: &Ident) -> Option<&'a mut Vec<Attribute>> {
    function
        .sig
        .inputs
        .iter_mut()
        .find_map(|input| match input {
            FnArg::Typed(typed) if is(&typed.pat, name) => Some(&mut typed.attrs),
            _ => None,
        })
}

fn is(pat: &Pat, name: &Ident) -> bool {
    matches!(pat, Pat::Ident(pat) if pat.ident == *name)
}

fn block(function: &Function) -> Option<Block> {
    syn::parse2(function.body.to_token_stream()).ok()
}

/// The place of `let name = ..`.
fn binding(body: &Block, name: &Ident) -> Option<usize> {
    body.stmts
        .iter()
        .position(|stmt| matches!(stmt, Stmt::Local(local) if is(&local.pat, name)))
}

/// Takes `let name = value` out of the body.
fn unbind(body: &mut Block, name: &Ident) -> Option<Expr> {
    let index = binding(body, name)?;
    match body.stmts.remove(index) {
        Stmt::Local(local) => Some(*local.init?.expr),
        _ => None,
    }
}

/// Whether an attribute above has made the function: its body stands where that attribute does,
/// before the name.
fn is_generated(function: &Function) -> bool {
    span::is_before(function.body.span_open(), function.sig.ident.span())
}

/// The name of the module that `#[rstest]`, standing above, has put around the case: that of the
/// function it calls at its end.
pub(super) fn group(function: &Function) -> Option<String> {
    let name = function.sig.ident.to_string();
    let has_number = name
        .split('_')
        .skip(1)
        .any(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    if !has_number || !is_generated(function) {
        return None;
    }
    let Some(Stmt::Expr(last, None)) = block(function)?.stmts.pop() else {
        return None;
    };
    let called = called(&last)?.to_string();
    (called != name).then_some(called)
}

/// The function at the heart of `name(..)`, `name(..).await` or `timeout(move || name(..)).await`.
fn called(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Await(expr) => called(&expr.base),
        Expr::Closure(expr) => called(&expr.body),
        Expr::Call(ExprCall { func, args, .. }) => {
            let Expr::Path(ExprPath { path, .. }) = &**func else {
                return None;
            };
            let ident = path.get_ident()?;
            if ident.to_string().starts_with("execute_with_timeout") {
                return called(args.first()?);
            }
            Some(ident)
        }
        _ => None,
    }
}
