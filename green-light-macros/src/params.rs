//! Parameters become requests: which fixture each one asks for, and how it takes the value.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Expr, FnArg, GenericArgument, Lifetime, Pat, PatIdent, PatType, Path, PathArguments,
    PathSegment, Signature, Type, TypeReference,
};

use crate::attr::{self, Argument};
use crate::crate_path::CratePath;
use crate::diagnostic::Errors;
use crate::function::{bare, plain};
use crate::span;

/// A parameter, in the order of the signature.
pub(crate) enum Param {
    /// The value of a fixture.
    Value(Request),
    /// `#[default(value)] name: T`, which the requester may set.
    Default(Default),
    /// `request: &Request`.
    Request(Ident),
    /// `out: Yield<T>`.
    Yield(Ident, Box<Type>),
    /// `next: Next<'_>`.
    Next(Ident),
}

impl Param {
    /// Where errors about it belong.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Value(request) => request.span,
            Self::Default(Default { ident, .. })
            | Self::Request(ident)
            | Self::Yield(ident, _)
            | Self::Next(ident) => ident.span(),
        }
    }
}

impl Param {
    pub(crate) fn is_default(&self) -> bool {
        matches!(self, Self::Default(_))
    }

    pub(crate) fn is_exclusive(&self) -> bool {
        matches!(self, Self::Value(request) if request.taken == Taken::Exclusive)
    }
}

/// A parameter with a default.
pub(crate) struct Default {
    pub(crate) ident: Ident,
    /// A borrow in it is `'static`.
    pub(crate) ty: Box<Type>,
    pub(crate) value: Expr,
}

/// How a parameter takes the value of its fixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// `&T`
    Lent,
    /// `T`: a clone of a shared value, or a fresh one.
    Owned,
    /// `&mut T`: a fresh value.
    Exclusive,
}

/// One request for a fixture.
pub(crate) struct Request {
    /// The name as written.
    pub(crate) name: String,
    /// The fixture's item.
    pub(crate) item: Path,
    pub(crate) taken: Taken,
    /// What it sets of the fixture's default parameters.
    pub(crate) with: Vec<Argument>,
    /// Where errors about it belong.
    pub(crate) span: Span,
    /// The parameter, if it is its name that asks for the fixture.
    pub(crate) by_name: Option<Asked>,
}

/// A parameter that asks for the fixture of its name.
pub(crate) struct Asked {
    /// The name of the fixture.
    pub(crate) ident: Ident,
    pub(crate) ty: Box<Type>,
}

impl Asked {
    /// The name without `r#`.
    pub(crate) fn name(&self) -> String {
        plain(&self.ident)
    }
}

impl Request {
    /// A request in a list such as `uses(path::to::fixture)`.
    pub(crate) fn of(item: Path) -> Self {
        let last = item.segments.last().map(|segment| &segment.ident);
        Self {
            name: last.map(plain).unwrap_or_default(),
            span: last.map_or_else(Span::call_site, Ident::span),
            taken: Taken::Lent,
            with: Vec::new(),
            by_name: None,
            item,
        }
    }

    /// Calls the item: an expression of the fixture's marker type.
    pub(crate) fn marker(&self) -> TokenStream {
        let item = &self.item;
        quote_spanned!(span::at(self.span)=> #item())
    }

    /// The function that looks the declaration up.
    pub(crate) fn target(&self, krate: &CratePath) -> TokenStream {
        let at = span::at(self.span);
        let private = krate.private(at);
        let marker = self.marker();
        quote_spanned!(at=> #private::definition_of(&#marker))
    }

    /// The `Dependency` behind the request, after `check`.
    pub(crate) fn dependency(&self, krate: &CratePath, check: &TokenStream) -> TokenStream {
        let at = span::at(self.span);
        let private = krate.private(at);
        let name = &self.name;
        let target = self.target(krate);
        let target = if check.is_empty() {
            target
        } else {
            quote_spanned!(at=> { #check; #target })
        };
        if self.with.is_empty() {
            return quote_spanned!(at=> #private::Dependency::new(#name, #target));
        }
        let arguments = self.arguments(krate);
        quote_spanned!(at=> #private::Dependency::with(#name, #target, || #arguments))
    }

    /// Expression: what it sets of the fixture's default parameters.
    fn arguments(&self, krate: &CratePath) -> TokenStream {
        let at = span::at(self.span);
        let private = krate.private(at);
        let marker = self.marker();
        let arguments = format_ident!("__green_light_arguments", span = Span::mixed_site());
        let set = self.with.iter().map(|Argument { name, value }| {
            let at = span::at(name.span());
            quote_spanned!(at=> #arguments.#name = ::core::option::Option::Some(#value);)
        });
        quote_spanned! {at=> {
            let mut #arguments = #private::defaults_of(&#marker);
            #(#set)*
            #private::Arguments::new(#arguments)
        }}
    }
}

/// Reads the parameters of `sig`, taking our attributes off them.
pub(crate) fn read(sig: &mut Signature, errors: &mut Errors) -> Vec<Param> {
    let mut params = Vec::new();
    for input in &mut sig.inputs {
        // `self` has been refused with the signature.
        if let FnArg::Typed(typed) = input
            && let Some(param) = read_one(typed, errors)
        {
            params.push(param);
        }
    }
    params
}

fn read_one(typed: &mut PatType, errors: &mut Errors) -> Option<Param> {
    let from = attr::take_from(&mut typed.attrs, errors);
    let with = attr::take_with(&mut typed.attrs, errors);
    let default = attr::take_default(&mut typed.attrs, errors);
    if let Some(attr) = typed.attrs.iter().find(|attr| attr::is_conditional(attr)) {
        errors.refuse(
            attr,
            "a parameter cannot depend on `cfg`",
            "put `#[cfg]` on two functions, one for each case",
        );
    }
    attr::refuse_misspelled(&mut typed.attrs, errors);
    let Pat::Ident(PatIdent {
        by_ref: None,
        subpat: None,
        ident,
        ..
    }) = &*typed.pat
    else {
        errors.refuse(
            &typed.pat,
            "a parameter has to be a name: it says which fixture to inject",
            "name the fixture, and take its value apart in the body",
        );
        return None;
    };
    if let Some(value) = default {
        if from.is_some() || !with.is_empty() {
            errors.refuse(
                ident,
                "a parameter with a default is no request for a fixture",
                "remove `#[default]`, or the other attribute",
            );
        }
        return Some(Param::Default(Default {
            ident: ident.clone(),
            ty: Box::new(lasting(&typed.ty)),
            value,
        }));
    }
    if from.is_none()
        && let Some(special) = special(ident, &typed.ty, errors)
    {
        return special;
    }
    let taken = match bare(&typed.ty) {
        Type::Reference(TypeReference {
            mutability: Some(_),
            ..
        }) => Taken::Exclusive,
        Type::Reference(TypeReference { lifetime, .. })
            if lifetime
                .as_ref()
                .is_none_or(|lifetime| lifetime.ident != "static") =>
        {
            Taken::Lent
        }
        _ => Taken::Owned,
    };
    let by_name = from.is_none().then(|| Asked {
        ident: requested(ident),
        ty: typed.ty.clone(),
    });
    Some(Param::Value(Request {
        name: plain(ident),
        item: from.unwrap_or_else(|| Path::from(requested(ident))),
        taken,
        with,
        span: ident.span(),
        by_name,
    }))
}

/// A parameter known by its type. `Some(None)` if it was meant to be one, but is wrong.
fn special(ident: &Ident, ty: &Type, errors: &mut Errors) -> Option<Option<Param>> {
    let (target, reference) = match bare(ty) {
        Type::Reference(reference) => (&*reference.elem, Some(reference)),
        other => (other, None),
    };
    let last = last_segment(target)?;
    match (last.ident.to_string().as_str(), &last.arguments) {
        // A `Request<T>` is somebody else's.
        ("Request", PathArguments::None) => Some(match reference {
            Some(TypeReference {
                mutability: None, ..
            }) => Some(Param::Request(ident.clone())),
            _ => {
                errors.refuse(
                    ty,
                    "the request is lent",
                    &format!(
                        "write `{ident}: &Request`; for a fixture that provides a `Request`, name \
                         it with `#[from({ident})]`"
                    ),
                );
                None
            }
        }),
        ("Yield", arguments) => Some(match (reference, first_type(arguments)) {
            (None, Some(value)) => Some(Param::Yield(ident.clone(), Box::new(value.clone()))),
            (None, None) => {
                errors.refuse(
                    ty,
                    "`Yield` does not say what the fixture provides",
                    &format!("write `{ident}: Yield<T>`, with the type of the value for `T`"),
                );
                None
            }
            (Some(_), _) => {
                errors.refuse(
                    ty,
                    "`Yield` is taken by value, since `give` uses it up",
                    &format!("write `{ident}: Yield<T>`"),
                );
                None
            }
        }),
        ("Next", PathArguments::None | PathArguments::AngleBracketed(_))
            if first_type(&last.arguments).is_none() =>
        {
            Some(Some(Param::Next(ident.clone())))
        }
        _ => None,
    }
}

/// The type of something kept: what it borrows at its outside is `'static`.
fn lasting(ty: &Type) -> Type {
    match bare(ty) {
        Type::Reference(reference) if reference.lifetime.is_none() => {
            let mut reference = reference.clone();
            let at = reference.and_token.span();
            reference.lifetime = Some(Lifetime::new("'static", at));
            Type::Reference(reference)
        }
        ty => ty.clone(),
    }
}

/// The fixture that a parameter's name asks for: without a leading `_`, which only says that the
/// value is not used.
fn requested(ident: &Ident) -> Ident {
    let name = ident.to_string();
    let Some(rest) = name.strip_prefix('_') else {
        return ident.clone();
    };
    if syn::parse_str::<Ident>(rest).is_ok() {
        return Ident::new(rest, ident.span());
    }
    let raw = format!("r#{rest}");
    if syn::parse_str::<Ident>(&raw).is_ok() {
        return Ident::new_raw(rest, ident.span());
    }
    ident.clone()
}

/// The last segment of a plain path type.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match bare(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// The first type argument of a path segment.
pub(crate) fn first_type(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The place of a type, for errors about it.
pub(crate) fn place(ty: &Type) -> Span {
    span::at(ty.span())
}
