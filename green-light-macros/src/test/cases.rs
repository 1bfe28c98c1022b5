//! `#[case]`, `#[values]` and `#[files]` are rstest's: it expands them, and calls us for each case.
//!
//! The function becomes one of `#[rstest]`, with `#[green_light::test]` below it. What is ours has
//! to be out of rstest's way first, because it would swallow it: `#[from]` and `#[with]` move from
//! the parameters into options, and parameters without a case are `#[ignore]`d, which for rstest
//! means that somebody else brings them. [`case`](super::case) takes it from there.
//!
//! rstest puts the cases into a module of the function's name. Names mean the same there, but
//! paths that begin with `super` or `self` do not: those get a name beside the function.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse_quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, FnArg, Ident, Pat, Path, Token, Type};

use super::args::Args;
use super::check;
use crate::attr;
use crate::diagnostic::Errors;
use crate::function::Function;
use crate::options;
use crate::span;

/// What only rstest understands on a parameter, beside the case itself.
const OF_RSTEST: &[&str] = &[
    "future",
    "by_ref",
    "notrace",
    "ignore",
    "base_dir",
    "exclude",
    "include_dot_files",
    "mode",
];

/// Whether rstest has a say in `function`.
pub(super) fn has_cases(function: &Function) -> bool {
    function.attrs.iter().any(is_case)
        || function.attrs.iter().any(is_rstest)
        || params(function).flatten().any(brings)
}

fn params(function: &Function) -> impl Iterator<Item = &Vec<Attribute>> {
    let inputs = function.sig.inputs.iter();
    inputs.filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&typed.attrs),
        FnArg::Receiver(_) => None,
    })
}

/// `#[case(..)]` or `#[case::name(..)]` on the function.
fn is_case(attr: &Attribute) -> bool {
    let first = attr.path().segments.first();
    first.is_some_and(|first| first.ident == "case")
}

fn is_rstest(attr: &Attribute) -> bool {
    let last = attr.path().segments.last();
    last.is_some_and(|last| last.ident == "rstest")
}

/// Whether rstest brings the parameter with this attribute.
fn brings(attr: &Attribute) -> bool {
    is_any_of(attr, &["case", "values", "files", "context"])
}

fn is_any_of(attr: &Attribute, names: &[&str]) -> bool {
    names.iter().any(|name| attr.path().is_ident(name))
}

/// Takes off what only rstest understands, for when something is wrong.
pub(super) fn strip(function: &mut Function) {
    let of_rstest = |attr: &Attribute| {
        is_case(attr) || is_rstest(attr) || is_any_of(attr, &["trace", "awt", "timeout"])
    };
    function.attrs.retain(|attr| !of_rstest(attr));
    for input in &mut function.sig.inputs {
        if let FnArg::Typed(typed) = input {
            typed
                .attrs
                .retain(|attr| !brings(attr) && !is_any_of(attr, OF_RSTEST));
        }
    }
}

/// Hands the function to rstest, or says everything that is wrong with what is ours.
pub(super) fn hand_over(
    options: TokenStream,
    args: Args,
    mut function: Function,
) -> Result<TokenStream, Errors> {
    let at = place(&function);
    if args.is_handed {
        // Handed over before: rustc has told that there is no rstest, and gone on with what follows.
        let mut errors = Errors::default();
        errors.refuse_at(
            at,
            "cases are expanded by rstest, which is not in the manifest",
            "write `rstest = \"0.29\"` under `[dev-dependencies]` in `Cargo.toml`, or say where it \
             is with `#[green_light::test(rstest = path::to::rstest)]`",
        );
        return Err(errors);
    }
    let mut ours = Ours::take(&mut function, args);
    let options = ours.options(options);
    ours.check(&function)?;

    let at = span::at(at);
    let below: Vec<_> = function
        .attrs
        .extract_if(.., |attr| is_rstest(attr))
        .collect();
    let above = match (below.first(), &ours.args.rstest) {
        (Some(rstest), _) => quote!(#rstest),
        (None, Some(path)) => quote_spanned!(at=> #[#path]),
        (None, None) => quote_spanned!(at=> #[::rstest::rstest]),
    };
    let root = ours.args.krate.root(Span::call_site());
    let grouped = function.attrs.iter().any(is_case)
        || params(&function)
            .flatten()
            .any(|attr| is_any_of(attr, &["case", "values", "files"]));
    let ident = &function.sig.ident;
    let group = grouped.then(|| quote!(__group = #ident,));
    let Ours {
        aliases,
        from,
        with,
        given,
        ..
    } = &ours;
    // For rstest, what stands before a case belongs to that case alone. What wraps a test wraps all.
    let wraps: Vec<_> = function
        .attrs
        .extract_if(.., |attr| {
            attr::wraps_test(attr) && !is_any_of(attr, &["timeout"])
        })
        .collect();
    function.attrs.extend(wraps);
    let last = function.attrs.iter().rposition(is_case);
    let ours = parse_quote! {
        #[#root::test(#(#options,)* __handed, #group __from(#(#from),*), __with(#(#with),*), __given(#(#given),*))]
    };
    function.attrs.insert(last.map_or(0, |last| last + 1), ours);
    Ok(quote! {
        #(#aliases)*
        #above
        #function
    })
}

/// Where errors about rstest belong: at the first case.
fn place(function: &Function) -> Span {
    params(function)
        .flatten()
        .chain(&function.attrs)
        .find(|attr| brings(attr) || is_case(attr))
        .and_then(|attr| attr.path().segments.first())
        .map_or_else(|| function.sig.ident.span(), |first| first.ident.span())
}

/// What is ours in a function that rstest is going to expand.
struct Ours {
    args: Args,
    /// `use` items that name paths which mean something else in the module of the cases.
    aliases: Vec<TokenStream>,
    /// `param = path`.
    from: Vec<TokenStream>,
    /// `param(name = value)`.
    with: Vec<TokenStream>,
    /// `param: Type`, of cases that are given to fixtures.
    given: Vec<TokenStream>,
    /// The parameters that are ours, for the checks.
    inputs: Punctuated<FnArg, Token![,]>,
    function: Ident,
}

impl Ours {
    fn take(function: &mut Function, mut args: Args) -> Self {
        let errors = std::mem::take(&mut args.errors);
        let mut ours = Self {
            args,
            aliases: Vec::new(),
            from: Vec::new(),
            with: Vec::new(),
            given: Vec::new(),
            inputs: Punctuated::new(),
            function: function.sig.ident.clone(),
        };
        let mut errors = errors;
        for input in &mut function.sig.inputs {
            let FnArg::Typed(typed) = input else {
                ours.inputs.push(input.clone());
                continue;
            };
            let is_case = typed.attrs.iter().any(brings);
            let mut own = typed.clone();
            own.attrs
                .retain(|attr| is_any_of(attr, &["from", "with", "default"]));
            let from = attr::take_from(&mut typed.attrs, &mut errors);
            let with = attr::take_with(&mut typed.attrs, &mut errors);
            if !is_case {
                if !typed
                    .attrs
                    .iter()
                    .any(|attr| attr.path().is_ident("ignore"))
                {
                    typed.attrs.push(parse_quote!(#[ignore]));
                }
                ours.inputs.push(FnArg::Typed(own));
            } else if from.is_some() {
                ours.inputs.push(FnArg::Typed(own));
            }
            let Pat::Ident(pat) = &*typed.pat else {
                continue;
            };
            let ident = &pat.ident;
            if let (true, Some(first)) = (is_case, with.first()) {
                errors.refuse(
                    &first.name,
                    format!("`{ident}` is a case: no fixture makes it, so nothing is to be set"),
                    "remove `#[with]`",
                );
            } else if !with.is_empty() {
                ours.with.push(quote!(#ident(#(#with),*)));
            }
            let Some(path) = from else { continue };
            let path = ours.portable(path);
            ours.from.push(quote!(#ident = #path));
            if is_case {
                let ty: &Type = &typed.ty;
                ours.given.push(quote!(#ident: #ty));
            }
        }
        ours.args.errors = errors;
        ours
    }

    /// The options as written, with their paths made portable.
    fn options(&mut self, options: TokenStream) -> Vec<TokenStream> {
        // They have been read once; what is wrong has been told.
        let settings = options::parse(options).unwrap_or_default();
        let mut written = Vec::new();
        for setting in settings {
            let name = &setting.name;
            if name == "rstest" {
                continue;
            }
            written.push(if name == "uses" || name == "without" {
                let mut told = Errors::default();
                let paths = setting.paths(&mut told);
                let paths = paths.into_iter().map(|path| self.portable(path));
                quote!(#name(#(#paths),*))
            } else {
                setting.into_token_stream()
            });
        }
        written
    }

    /// A path that means the same in the module of the cases.
    fn portable(&mut self, path: Path) -> Path {
        let first = path.segments.first().map(|first| &first.ident);
        if !first.is_some_and(|first| first == "super" || first == "self") {
            return path;
        }
        let alias = format_ident!("__green_light_{}_{}", self.function, self.aliases.len());
        self.aliases.push(quote! {
            #[cfg(test)]
            #[allow(unused_imports)]
            use #path as #alias;
        });
        Path::from(alias)
    }

    /// Everything that is wrong, told once and not for each case.
    fn check(&mut self, function: &Function) -> Result<(), Errors> {
        let mut args = self.args.clone();
        if let Some(backend) = args.backends.first() {
            args.errors.refuse(
                backend,
                "`backends` makes tests of its own, and so do cases",
                "write `#[values(Backend::Sqlite, Backend::Postgres)] #[from(backend)] backend: \
                 Backend` beside the cases",
            );
        }
        if function.sig.asyncness.is_none()
            && let Some(attr) = function
                .attrs
                .iter()
                .find(|attr| is_any_of(attr, &["timeout"]))
        {
            args.errors.refuse(
                attr,
                "rstest would run the test on another thread, where it cannot wait",
                "write `#[green_light::test(timeout = \"5s\")]`",
            );
        }
        // The checks of a test without the cases: it is rstest's to check those.
        let mut own = function.clone();
        strip(&mut own);
        own.sig.inputs = self.inputs.clone();
        own.sig.generics = syn::Generics::default();
        self.args.errors = Errors::default();
        check::check(args, own).map(drop)
    }
}
