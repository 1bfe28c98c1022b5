//! Attributes of the user: those on parameters that are ours, and where the others on the
//! function go.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, LitInt, Meta, Path, Token};

use crate::diagnostic::{Errors, nearest};
use crate::function::mentions;

/// Takes `#[from(path)]` off a parameter.
pub(crate) fn take_from(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Option<Path> {
    let mut found = None;
    attrs.retain(|attr| {
        if !attr.path().is_ident("from") {
            return true;
        }
        match attr.parse_args_with(Path::parse_mod_style) {
            Ok(_) if found.is_some() => errors.refuse(
                attr,
                "a second `#[from]` on one parameter",
                "keep the one that names the fixture to inject",
            ),
            Ok(path) => found = Some(path),
            Err(_) => errors.refuse(
                attr,
                "`#[from]` names one fixture",
                "write `#[from(path::to::fixture)]`",
            ),
        }
        false
    });
    found
}

/// A default parameter of a fixture, as `#[with(name = value)]` sets it.
#[derive(Clone)]
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) value: Expr,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let value = input.parse()?;
        Ok(Self { name, value })
    }
}

impl ToTokens for Argument {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { name, value } = self;
        tokens.extend(quote!(#name = #value));
    }
}

/// Takes `#[with(name = value, ..)]` off a parameter.
pub(crate) fn take_with(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Vec<Argument> {
    let mut arguments: Vec<Argument> = Vec::new();
    attrs.retain(|attr| {
        if !attr.path().is_ident("with") {
            return true;
        }
        let parser = Punctuated::<Argument, Token![,]>::parse_terminated;
        match attr.parse_args_with(parser) {
            Ok(list) if !list.is_empty() => arguments.extend(list),
            _ => errors.refuse(
                attr,
                "`#[with]` sets default parameters of a fixture by their names",
                "write `#[with(name = value)]`",
            ),
        }
        false
    });
    for (index, argument) in arguments.iter().enumerate() {
        if arguments[..index]
            .iter()
            .any(|other| other.name == argument.name)
        {
            errors.refuse(
                &argument.name,
                format!("`{}` is set twice", argument.name),
                "keep one of them",
            );
        }
    }
    arguments
}

/// Takes `#[default(value)]` off a parameter.
pub(crate) fn take_default(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Option<Expr> {
    let mut found = None;
    attrs.retain(|attr| {
        if !attr.path().is_ident("default") {
            return true;
        }
        match attr.parse_args::<Expr>() {
            Ok(_) if found.is_some() => errors.refuse(
                attr,
                "a second `#[default]` on one parameter",
                "keep one of them",
            ),
            Ok(value) => found = Some(value),
            Err(_) => errors.refuse(
                attr,
                "`#[default]` says what a parameter is unless somebody sets it",
                "write `#[default(value)]`",
            ),
        }
        false
    });
    found
}

/// Takes off what was meant to be one of ours, but has another name.
pub(crate) fn refuse_misspelled(attrs: &mut Vec<Attribute>, errors: &mut Errors) {
    const OURS: [&str; 3] = ["from", "with", "default"];
    attrs.retain(|attr| {
        let Some(name) = attr.path().get_ident().map(ToString::to_string) else {
            return true;
        };
        if is_conditional(attr) || is_lint_level(attr) || is_for_rstest(&name) {
            return true;
        }
        let help = match name.as_str() {
            "doc" => return true,
            "fixture" | "inject" | "use" | "named" | "name" => {
                "write `#[from(path::to::fixture)]`, or name the parameter after its fixture"
                    .to_owned()
            }
            _ => match nearest(&name, &OURS) {
                Some(near) => format!("did you mean `#[{near}]`?"),
                None => return true,
            },
        };
        errors.refuse(
            attr,
            format!("a parameter has no attribute `#[{name}]`"),
            &help,
        );
        false
    });
}

/// Whether rstest understands an attribute of a parameter.
fn is_for_rstest(name: &str) -> bool {
    [
        "case", "values", "files", "context", "future", "notrace", "ignore",
    ]
    .contains(&name)
}

/// Whether `#[cfg]` or `#[cfg_attr]` decides about something.
pub(crate) fn is_conditional(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr")
}

fn is_lint_level(attr: &Attribute) -> bool {
    ["allow", "warn", "deny", "forbid", "expect"]
        .iter()
        .any(|level| attr.path().is_ident(level))
}

/// Whether it is the item that fulfils an `expect`: the function is called.
fn expects_dead_code(attr: &Attribute) -> bool {
    let Meta::List(list) = &attr.meta else {
        return false;
    };
    let name = Ident::new("dead_code", Span::call_site());
    attr.path().is_ident("expect") && mentions(list.tokens.clone(), &name)
}

/// The user's attributes on a fixture, by where they go.
#[derive(Default)]
pub(crate) struct Sorted {
    /// `cfg`: on every generated item.
    pub(crate) cfg: TokenStream,
    /// Docs and deprecation: on the item the user imports.
    pub(crate) item: TokenStream,
    /// Lint levels, for the generated items around the function. An `expect` is an `allow` there:
    /// the function itself fulfils it.
    pub(crate) lints: TokenStream,
    /// Everything else, and lint levels: on the user's function.
    pub(crate) function: Vec<Attribute>,
}

impl Sorted {
    pub(crate) fn new(attrs: &[Attribute]) -> Self {
        let mut sorted = Self::default();
        for attr in attrs {
            if attr.path().is_ident("cfg") {
                attr.to_tokens(&mut sorted.cfg);
            } else if attr.path().is_ident("doc") {
                attr.to_tokens(&mut sorted.item);
            } else if attr.path().is_ident("deprecated") {
                attr.to_tokens(&mut sorted.item);
                // The expansion uses what it declares.
                sorted.lints.extend(quote!(#[allow(deprecated)]));
            } else if expects_dead_code(attr) {
                attr.to_tokens(&mut sorted.item);
            } else {
                if let (true, Meta::List(list)) = (is_lint_level(attr), &attr.meta) {
                    if attr.path().is_ident("expect") {
                        let lints = &list.tokens;
                        sorted.lints.extend(quote!(#[allow(#lints)]));
                    } else {
                        attr.to_tokens(&mut sorted.lints);
                    }
                }
                sorted.function.push(attr.clone());
            }
        }
        sorted
    }
}

/// Whether an attribute on a test belongs to the function that libtest calls; the others, such as
/// `#[instrument]`, belong to the user's own function inside it.
pub(crate) fn is_of_test(attr: &Attribute) -> bool {
    is_conditional(attr)
        || is_lint_level(attr)
        || wraps_test(attr)
        || ["doc", "ignore", "should_panic", "deprecated"]
            .iter()
            .any(|name| attr.path().is_ident(name))
}

/// Names of the attributes that let only one test run at a time, or some of them.
const ONE_AT_A_TIME: &[&str] = &["serial", "parallel", "file_serial", "file_parallel"];

/// Whether an attribute wraps a whole test and knows no parameters: `#[serial]` and its like, and
/// `#[ntest::timeout(100)]`.
pub(crate) fn wraps_test(attr: &Attribute) -> bool {
    let last = attr.path().segments.last();
    last.is_some_and(|last| {
        ONE_AT_A_TIME.iter().any(|name| last.ident == name)
            || (last.ident == "timeout" && attr.parse_args::<LitInt>().is_ok())
    })
}

/// Whether an attribute of a test stands on each of its cases, and not on what they share.
pub(crate) fn is_of_case(attr: &Attribute) -> bool {
    attr.path().is_ident("cfg_attr")
        || wraps_test(attr)
        || ["ignore", "should_panic"]
            .iter()
            .any(|name| attr.path().is_ident(name))
}

/// Whether libtest will see `#[name]`: a constant expression, because `#[cfg_attr]` may decide.
pub(crate) fn presence(attrs: &[Attribute], name: &str) -> TokenStream {
    let mut conditions = Vec::new();
    for attr in attrs {
        if attr.path().is_ident(name) {
            return quote!(true);
        }
        if let (true, Meta::List(list)) = (attr.path().is_ident("cfg_attr"), &attr.meta)
            && let Some(condition) = condition_of(list.tokens.clone(), name)
        {
            conditions.push(quote!(::core::cfg!(#condition)));
        }
    }
    if conditions.is_empty() {
        quote!(false)
    } else {
        quote!(#(#conditions)||*)
    }
}

/// What `#[should_panic]` expects to be said, if it is there: an expression for an `Option`.
pub(crate) fn should_panic(attrs: &[Attribute]) -> TokenStream {
    let mut found = quote!(::core::option::Option::None);
    for attr in attrs.iter().rev() {
        if attr.path().is_ident("should_panic") {
            let expected = expected(&attr.meta);
            found = quote!(::core::option::Option::Some(#expected));
        } else if let (true, Meta::List(list)) = (attr.path().is_ident("cfg_attr"), &attr.meta)
            && let Some(condition) = condition_of(list.tokens.clone(), "should_panic")
        {
            let metas = metas(list.tokens.clone());
            let meta = metas
                .iter()
                .find(|meta| meta.path().is_ident("should_panic"));
            let expected = meta.map(expected);
            found = quote! {
                if ::core::cfg!(#condition) {
                    ::core::option::Option::Some(#expected)
                } else {
                    #found
                }
            };
        }
    }
    found
}

/// The text of `should_panic = ".."` and `should_panic(expected = "..")`.
fn expected(meta: &Meta) -> TokenStream {
    let text = match meta {
        Meta::Path(_) => None,
        Meta::NameValue(pair) => Some(pair.value.to_token_stream()),
        Meta::List(list) => metas(list.tokens.clone())
            .iter()
            .find(|meta| meta.path().is_ident("expected"))
            .and_then(|meta| Some(meta.require_name_value().ok()?.value.to_token_stream())),
    };
    text.unwrap_or_else(|| quote!(""))
}

fn metas(tokens: TokenStream) -> Vec<Meta> {
    use syn::parse::Parser;

    Punctuated::<Meta, Token![,]>::parse_terminated
        .parse2(tokens)
        .map_or_else(|_| Vec::new(), |metas| metas.into_iter().collect())
}

/// The condition in `condition, .., name, ..`.
fn condition_of(tokens: TokenStream, name: &str) -> Option<TokenStream> {
    let mut metas = metas(tokens).into_iter();
    let condition = metas.next()?;
    metas
        .any(|meta| meta.path().is_ident(name))
        .then(|| condition.into_token_stream())
}
