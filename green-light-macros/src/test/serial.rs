//! `#[serial_test::serial]` and its like, above `#[green_light::test]`.
//!
//! They hand on a function whose body takes the lock and calls the user's:
//!
//! ```text
//! async fn name() {
//!     async fn _name_internal() { .. }
//!     serial_test::local_async_serial_core(vec!["key"], None, _name_internal()).await;
//! }
//! ```
//!
//! Such a lock would not cover set-up and teardown, and the parameters are gone. So the function is
//! put back as it was written, with the attribute below ours, where it wraps the whole test.

use proc_macro2::Span;
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Block, Expr, Ident, Item, Lit, LitStr, Path, Stmt, Token, parse_quote};

use crate::diagnostic::Errors;
use crate::function::Function;
use crate::source::{self, Written};

/// Puts a function back as it was written, if one of the attributes stood above.
pub(super) fn restore(function: &mut Function, errors: &mut Errors) {
    if let Some(found) = find(function) {
        let Found {
            attribute,
            mut attrs,
            body,
        } = found;
        function.attrs.push(attribute);
        function.attrs.append(&mut attrs);
        let open = body.brace_token.span.open();
        if let Ok(body) = syn::parse2(body.into_token_stream()) {
            function.body = body;
        }
        take_parameters(function, open, errors);
    }
}

/// The parameters as they were written.
fn take_parameters(function: &mut Function, open: Span, errors: &mut Errors) {
    if !function.sig.inputs.is_empty() {
        return;
    }
    match source::parameters(open) {
        Some(Written::Parameters(inputs)) => function.sig.inputs = inputs,
        Some(Written::Unknown) => errors.refuse(
            &function.sig.ident,
            "an attribute above has taken the parameters of this test away",
            "move it below `#[green_light::test]`",
        ),
        None => {}
    }
}

struct Found {
    attribute: Attribute,
    /// Those for the user's own function.
    attrs: Vec<Attribute>,
    body: Block,
}

fn find(function: &Function) -> Option<Found> {
    let block: Block = syn::parse2(function.body.to_token_stream()).ok()?;
    let Stmt::Expr(last, _) = block.stmts.last()? else {
        return None;
    };
    let last = match last {
        Expr::Await(expr) => &*expr.base,
        expr => expr,
    };
    let Expr::Call(call) = last else { return None };
    let Expr::Path(called) = &*call.func else {
        return None;
    };
    let kind = kind(&called.path)?;
    let mut arguments = call.args.iter();
    let names = names(arguments.next()?)?;
    let path = literal(arguments.next()?);
    let work = arguments.next()?;
    let inner = block.stmts.iter().find_map(|stmt| match stmt {
        Stmt::Item(Item::Fn(inner)) => Some(inner),
        _ => None,
    });
    let (attrs, body) = match (inner, work) {
        (Some(inner), _) => (inner.attrs.clone(), (*inner.block).clone()),
        (None, Expr::Closure(closure)) => match &*closure.body {
            Expr::Block(body) => (Vec::new(), body.block.clone()),
            _ => return None,
        },
        _ => return None,
    };
    let mut krate: Punctuated<_, Token![::]> = called.path.segments.clone();
    krate.pop();
    krate.pop_punct();
    let path = path.map(|path| quote!(path => #path,));
    let attribute = parse_quote!(#[#krate::#kind(#(#names,)* #path crate = #krate)]);
    Some(Found {
        attribute,
        attrs,
        body,
    })
}

/// The attribute that calls the function at the end of `path`.
fn kind(path: &Path) -> Option<Ident> {
    let last = path.segments.last()?;
    let name = last.ident.to_string();
    let name = name.strip_suffix("_with_return").unwrap_or(&name);
    let kind = match name.replace("_async_", "_").as_str() {
        "local_serial_core" => "serial",
        "local_parallel_core" => "parallel",
        "fs_serial_core" => "file_serial",
        "fs_parallel_core" => "file_parallel",
        _ => return None,
    };
    Some(Ident::new(kind, last.ident.span()))
}

/// The names in `vec!["first", "second"]`.
fn names(expr: &Expr) -> Option<Vec<Ident>> {
    let Expr::Macro(list) = expr else { return None };
    let literals = Punctuated::<Expr, Token![,]>::parse_terminated
        .parse2(list.mac.tokens.clone())
        .ok()?;
    // One without a name has the empty one.
    let names = literals.iter().filter_map(literal).map(LitStr::value);
    names
        .filter(|name| !name.is_empty())
        .map(|name| syn::parse_str(&name).ok())
        .collect()
}

/// The string in `"text"` or `Some("text")`.
fn literal(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text),
            _ => None,
        },
        Expr::Call(call) => literal(call.args.first()?),
        _ => None,
    }
}
