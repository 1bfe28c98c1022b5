//! The comma-separated options of an attribute, each with its place, before they mean anything.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, ExprPath, Ident, Lit, LitStr, Path, Token, parenthesized, token};

use crate::diagnostic::{Errors, list, nearest};

/// One option as written: `name`, `name = value` or `name(list)`.
pub(crate) struct Setting {
    pub(crate) name: Ident,
    value: Value,
}

enum Value {
    None,
    Is(Box<Expr>),
    List(TokenStream),
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> Result<Self, Error> {
        let name = Ident::parse_any(input)?;
        let value = if input.peek(Token![=]) {
            let equals: Token![=] = input.parse()?;
            if input.is_empty() || input.peek(Token![,]) {
                return Err(Error::new_spanned(
                    equals,
                    format!("option `{name}` has no value\nhelp: write it after the `=`"),
                ));
            }
            Value::Is(Box::new(bare(input.parse()?)))
        } else if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            Value::List(content.parse()?)
        } else {
            Value::None
        };
        Ok(Self { name, value })
    }
}

impl Setting {
    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }

    /// The value of a flag: present, without a value of its own.
    pub(crate) fn flag(&self, errors: &mut Errors) -> Option<Span> {
        match self.value {
            Value::None => return Some(self.name.span()),
            Value::Is(_) | Value::List(_) => {
                let name = &self.name;
                errors.refuse(
                    name,
                    format!("option `{name}` takes no value"),
                    &format!("write `{name}` alone, or leave it out"),
                );
            }
        }
        None
    }

    pub(crate) fn boolean(&self, errors: &mut Errors) -> Option<bool> {
        if let Some(Lit::Bool(value)) = self.literal() {
            return Some(value.value);
        }
        self.refuse("is `true` or `false`", "true", errors);
        None
    }

    pub(crate) fn string(&self, example: &str, errors: &mut Errors) -> Option<&LitStr> {
        if let Some(Lit::Str(value)) = self.literal() {
            return Some(value);
        }
        self.refuse("is a string", example, errors);
        None
    }

    pub(crate) fn path(&self, errors: &mut Errors) -> Option<Path> {
        match &self.value {
            Value::Is(expr) => {
                if let Expr::Path(ExprPath {
                    qself: None, path, ..
                }) = &**expr
                {
                    return Some(path.clone());
                }
            }
            Value::None | Value::List(_) => {}
        }
        self.refuse("is a path", "path::to::it", errors);
        None
    }

    /// The word in `name = word`, which is one of `words`.
    pub(crate) fn word(&self, what: &str, words: &[&str], errors: &mut Errors) -> Option<Ident> {
        if let Value::Is(expr) = &self.value
            && let Expr::Path(ExprPath { path, .. }) = &**expr
            && let Some(word) = path.get_ident()
        {
            return known(what, word, words, errors).then(|| word.clone());
        }
        let name = &self.name;
        errors.refuse(
            name,
            format!("option `{name}` is one of {}", list(words)),
            &format!("write `{name} = {}`", words[0]),
        );
        None
    }

    /// The words in `name(one, other)`, each of which is one of `words`, and none twice.
    pub(crate) fn words(&self, what: &str, words: &[&str], errors: &mut Errors) -> Vec<Ident> {
        if let Value::List(tokens) = &self.value
            && let Ok(typed) =
                Punctuated::<Ident, Token![,]>::parse_terminated.parse2(tokens.clone())
            && !typed.is_empty()
        {
            let mut read: Vec<Ident> = Vec::new();
            for word in typed {
                if !known(what, &word, words, errors) {
                    continue;
                }
                if read.contains(&word) {
                    errors.refuse(
                        &word,
                        format!("`{word}` is listed twice"),
                        "keep one of them",
                    );
                } else {
                    read.push(word);
                }
            }
            return read;
        }
        let name = &self.name;
        errors.refuse(
            name,
            format!("option `{name}` is a list of {}", list(words)),
            &format!("write `{name}({})`", words.join(", ")),
        );
        Vec::new()
    }

    /// The names in `name(a, path::to::b)`.
    pub(crate) fn paths(&self, errors: &mut Errors) -> Vec<Path> {
        if let Value::List(tokens) = &self.value {
            let parser = Punctuated::<Path, Token![,]>::parse_terminated_with;
            let paths = (|input: ParseStream<'_>| parser(input, Path::parse_mod_style))
                .parse2(tokens.clone());
            if let Ok(paths) = paths
                && !paths.is_empty()
            {
                return paths.into_iter().collect();
            }
        }
        let name = &self.name;
        errors.refuse(
            name,
            format!("option `{name}` is a list of fixtures"),
            &format!("write `{name}(first, path::to::second)`"),
        );
        Vec::new()
    }

    fn literal(&self) -> Option<&Lit> {
        match &self.value {
            Value::Is(expr) => match &**expr {
                Expr::Lit(ExprLit { lit, .. }) => Some(lit),
                _ => None,
            },
            Value::None | Value::List(_) => None,
        }
    }

    fn refuse(&self, what: &str, example: &str, errors: &mut Errors) {
        let name = &self.name;
        errors.refuse(
            name,
            format!("option `{name}` {what}"),
            &format!("write `{name} = {example}`"),
        );
    }
}

/// Whether a word is one of `words`, which are names of `what`.
fn known(what: &str, word: &Ident, words: &[&str], errors: &mut Errors) -> bool {
    let typed = word.to_string();
    if words.contains(&typed.as_str()) {
        return true;
    }
    let help = match nearest(&typed, words) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "use one of these".to_owned(),
    };
    errors.refuse(
        word,
        format!("unknown {what} `{typed}`, expected one of {}", list(words)),
        &help,
    );
    false
}

/// An expression without the invisible group around it, if it came out of a `macro_rules!`.
fn bare(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => bare(*group.expr),
        expr => expr,
    }
}

/// Reads the options of `#[attribute(..)]`, refusing unknown and repeated ones.
pub(crate) fn read(
    attribute: &str,
    valid: &[&str],
    tokens: TokenStream,
    errors: &mut Errors,
) -> Vec<Setting> {
    let parsed = Punctuated::<Setting, Token![,]>::parse_terminated.parse2(tokens);
    let settings = match parsed {
        Ok(settings) => settings,
        Err(error) => {
            errors.push(error);
            return Vec::new();
        }
    };
    let mut read: Vec<Setting> = Vec::new();
    for setting in settings {
        let name = setting.name.to_string();
        if !valid.contains(&name.as_str()) {
            let fact = format!(
                "unknown option `{name}` for `#[{attribute}]`, expected one of {}",
                list(valid)
            );
            let help = match nearest(&name, valid) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it, or use one of these".to_owned(),
            };
            errors.refuse(&setting.name, fact, &help);
        } else if read.iter().any(|other| other.name == setting.name) {
            errors.refuse(
                &setting.name,
                format!("option `{name}` is given twice"),
                "keep one of them",
            );
        } else {
            read.push(setting);
        }
    }
    read
}
