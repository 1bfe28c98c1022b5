//! The user's function: its signature parsed, its body kept as the tokens it was written with.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Ident, Item, ReturnType, Signature, TraitItemFn, Type, Visibility};

/// A function under one of the attributes.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Function {
    /// Parses the item under `#[name]`.
    pub(crate) fn parse(name: &str, item: &TokenStream) -> Result<Self, Error> {
        syn::parse2::<Self>(item.clone()).map_err(|error| match syn::parse2::<Item>(item.clone()) {
            Ok(Item::Verbatim(_)) | Err(_) if has_no_body(item) => Error::new(
                error.span(),
                format!(
                    "`#[{name}]` belongs on a function with a body\nhelp: move it out of the trait, \
                     and write the body"
                ),
            ),
            Ok(Item::Fn(_)) | Err(_) => error,
            Ok(other) => Error::new(
                other.span(),
                format!(
                    "`#[{name}]` belongs on a function, not on {}\nhelp: move it to the `fn` it is \
                     meant for, or remove it",
                    kind(&other)
                ),
            ),
        })
    }

    /// The return type, unless there is none or it is `()`.
    pub(crate) fn output(&self) -> Option<&Type> {
        match &self.sig.output {
            ReturnType::Type(_, ty) if !is_unit(ty) => Some(bare(ty)),
            _ => None,
        }
    }

    /// The name without `r#`.
    pub(crate) fn name(&self) -> String {
        plain(&self.sig.ident)
    }

    /// Whether the body uses `name` anywhere, also inside macros.
    pub(crate) fn mentions(&self, name: &Ident) -> bool {
        mentions(self.body.stream(), name)
    }

    /// The doc comment, lines joined.
    pub(crate) fn docs(&self) -> String {
        let lines = self.attrs.iter().filter_map(|attr| {
            let value = &attr.meta.require_name_value().ok()?;
            match &value.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) if value.path.is_ident("doc") => Some(text.value()),
                _ => None,
            }
        });
        let lines: Vec<String> = lines
            .map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned())
            .collect();
        lines.join("\n").trim().to_owned()
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self, Error> {
        Ok(Self {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            sig: input.parse()?,
            body: body(input)?,
        })
    }
}

/// A block, which may be a `$body:block` of a `macro_rules!`: that stands in an invisible group.
fn body(input: ParseStream<'_>) -> Result<Group, Error> {
    input.step(|cursor| {
        let mut tree = cursor.token_tree();
        while let Some((TokenTree::Group(group), rest)) = tree {
            if group.delimiter() == Delimiter::Brace {
                return Ok((group, rest));
            }
            let mut inner = group.stream().into_iter();
            tree = match (group.delimiter(), inner.next(), inner.next()) {
                (Delimiter::None, Some(only), None) => Some((only, rest)),
                _ => None,
            };
        }
        Err(cursor.error("expected the body of a function"))
    })
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attr in &self.attrs {
            attr.to_tokens(tokens);
        }
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

/// A name without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_owned()
}

pub(crate) fn is_unit(ty: &Type) -> bool {
    matches!(bare(ty), Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// A type without the invisible group around it, if it came out of a `macro_rules!`.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        ty => ty,
    }
}

/// Whether `name` is among the tokens, also inside macros.
pub(crate) fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether it is a function of a trait that ends with its signature.
fn has_no_body(item: &TokenStream) -> bool {
    syn::parse2::<TraitItemFn>(item.clone()).is_ok_and(|item| item.default.is_none())
}

fn kind(item: &Item) -> &'static str {
    match item {
        Item::Const(_) => "a constant",
        Item::Enum(_) => "an enum",
        Item::Impl(_) => "an `impl` block",
        Item::Mod(_) => "a module",
        Item::Static(_) => "a static",
        Item::Struct(_) => "a struct",
        Item::Trait(_) => "a trait",
        Item::Type(_) => "a type alias",
        Item::Use(_) => "an import",
        Item::Macro(_) => "a macro call",
        _ => "this item",
    }
}
