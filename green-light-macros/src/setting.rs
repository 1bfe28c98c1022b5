//! One option of an attribute, and what its value may be.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    Error, Expr, ExprLit, ExprPath, Ident, Lit, LitStr, MetaNameValue, Path, Token, Type,
    parenthesized, token,
};

use crate::attr::Argument;
use crate::diagnostic::{Errors, list, nearest};
use crate::elsewhere;

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
        if !input.peek(Ident::peek_any) {
            return Err(input.error("an option begins with its name\nhelp: write `name = value`"));
        }
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
        } else if input.peek(Token![:]) && !input.peek(Token![::]) {
            return Err(input.error(format!(
                "the value of option `{name}` stands after a `=`\nhelp: write `{name} = value`"
            )));
        } else {
            Value::None
        };
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error(format!(
                "option `{name}` ends here, and the next one begins after a comma\nhelp: write `,` \
                 between the two"
            )));
        }
        Ok(Self { name, value })
    }
}

impl ToTokens for Setting {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.name.to_tokens(tokens);
        match &self.value {
            Value::None => {}
            Value::Is(expr) => tokens.extend(quote!(= #expr)),
            Value::List(list) => tokens.extend(quote!((#list))),
        }
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

    /// Whether it is written without a value.
    pub(crate) fn is_flag(&self) -> bool {
        matches!(self.value, Value::None)
    }

    /// The pairs in `name(key = "text", other = 3)`, values as text.
    pub(crate) fn literals(&self, errors: &mut Errors) -> Vec<(String, String)> {
        if let Value::List(tokens) = &self.value {
            let parser = Punctuated::<MetaNameValue, Token![,]>::parse_terminated;
            let pairs = parser.parse2(tokens.clone()).ok().and_then(|pairs| {
                pairs
                    .into_iter()
                    .map(|pair| Some((pair.path.get_ident()?.to_string(), text(bare(pair.value))?)))
                    .collect::<Option<Vec<_>>>()
            });
            if let Some(pairs) = pairs
                && !pairs.is_empty()
            {
                return pairs;
            }
        }
        let name = &self.name;
        errors.refuse(
            name,
            format!("option `{name}` is a list of keys with literal values"),
            &format!("write `{name}(rows = 3, table = \"authors\")`"),
        );
        Vec::new()
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
        // What is meant, in another form.
        let meant = self.meant();
        let meant = words.iter().find(|word| meant.as_deref() == Some(**word));
        errors.refuse(
            name,
            format!("option `{name}` is one of {}", list(words)),
            &format!("write `{name} = {}`", meant.unwrap_or(&words[0])),
        );
        None
    }

    /// The words in `name(one, other)`, each of which is one of `words`, and none twice.
    pub(crate) fn words(&self, what: &str, words: &[&str], errors: &mut Errors) -> Vec<Ident> {
        if let Some(typed) = self.list(<Ident as Parse>::parse)
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
        let meant = self.meant();
        let meant = words.iter().find(|word| meant.as_deref() == Some(**word));
        let example = meant.map_or_else(|| words.join(", "), |word| (*word).to_owned());
        errors.refuse(
            name,
            format!("option `{name}` is a list of {}", list(words)),
            &format!("write `{name}({example})`"),
        );
        Vec::new()
    }

    /// The pairs in `name(first = path, second = path)`.
    pub(crate) fn pairs(&self, errors: &mut Errors) -> Vec<(Ident, Path)> {
        if let Some(pairs) = self.list(|input| {
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![=]>()?;
            Ok((name, input.call(Path::parse_mod_style)?))
        }) && (!pairs.is_empty() || self.name.to_string().starts_with("__"))
        {
            return pairs;
        }
        let name = &self.name;
        errors.refuse(
            name,
            format!("option `{name}` says where the fixtures of parameters are"),
            &format!("write `{name}(param = path::to::fixture)`"),
        );
        Vec::new()
    }

    /// The arguments in `name(param(name = value, ..), ..)`.
    pub(crate) fn arguments(&self, errors: &mut Errors) -> Vec<(Ident, Vec<Argument>)> {
        let list = self.list(|input| {
            let name = input.call(Ident::parse_any)?;
            let content;
            parenthesized!(content in input);
            let arguments = Punctuated::<Argument, Token![,]>::parse_terminated(&content)?;
            Ok((name, arguments.into_iter().collect()))
        });
        list.unwrap_or_else(|| {
            let name = &self.name;
            errors.refuse(
                name,
                format!("option `{name}` sets default parameters of fixtures by their names"),
                &format!("write `{name}(param(name = value))`"),
            );
            Vec::new()
        })
    }

    /// The parameters in `name(first: Type, second: Type)`, which only our own macros write.
    pub(crate) fn typed(&self) -> Vec<(Ident, Type)> {
        let list = self.list(|input| {
            let name = input.call(Ident::parse_any)?;
            input.parse::<Token![:]>()?;
            Ok((name, input.parse()?))
        });
        list.unwrap_or_default()
    }

    /// The elements of `name(..)`.
    fn list<T>(&self, element: fn(ParseStream<'_>) -> Result<T, Error>) -> Option<Vec<T>> {
        let Value::List(tokens) = &self.value else {
            return None;
        };
        let list = |input: ParseStream<'_>| {
            Punctuated::<T, Token![,]>::parse_terminated_with(input, element)
        };
        Some(list.parse2(tokens.clone()).ok()?.into_iter().collect())
    }

    /// The names in `name(a, path::to::b)`.
    pub(crate) fn paths(&self, errors: &mut Errors) -> Vec<Path> {
        if let Some(paths) = self.list(Path::parse_mod_style)
            && !paths.is_empty()
        {
            return paths;
        }
        let name = &self.name;
        errors.refuse(
            name,
            format!("option `{name}` is a list of fixtures"),
            &format!("write `{name}(first, path::to::second)`"),
        );
        Vec::new()
    }

    /// The word in `name = "word"`, `name = word`, `name = Type::Word` or `name(word)`.
    fn meant(&self) -> Option<String> {
        let expr = match &self.value {
            Value::Is(expr) => (**expr).clone(),
            Value::List(list) => syn::parse2(list.clone()).ok()?,
            Value::None => return None,
        };
        match expr {
            Expr::Path(ExprPath { path, .. }) => {
                let last = path.segments.last()?;
                Some(last.ident.to_string().to_lowercase())
            }
            expr => text(expr),
        }
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

/// The value whose name is the option's string.
pub(crate) fn one_of<T: Copy>(
    setting: &Setting,
    values: &[T],
    name: fn(T) -> &'static str,
    errors: &mut Errors,
) -> Option<(T, Span)> {
    let names: Vec<&str> = values.iter().map(|value| name(*value)).collect();
    let is_scope = setting.name == "scope";
    let meant = setting.meant().unwrap_or_default();
    let meant = match elsewhere::scope(&meant) {
        Some(ours) if is_scope => ours,
        _ => &meant,
    };
    let example = names
        .iter()
        .find(|name| **name == meant)
        .unwrap_or(&names[0]);
    let typed = setting.string(&format!("\"{example}\""), errors)?;
    let text = typed.value();
    if let Some(value) = values.iter().find(|value| name(**value) == text) {
        return Some((*value, setting.span()));
    }
    let option = &setting.name;
    let elsewhere = if is_scope {
        elsewhere::scope(&text)
    } else {
        None
    };
    let help = match (elsewhere, nearest(&text, &names)) {
        (Some("process"), _) => format!(
            "what others call `{text}` is `scope = \"process\"` for one test program, and `scope = \"run\"` for all \
             programs and processes of a run"
        ),
        (Some(ours), _) => format!("what others call `{text}` is `scope = \"{ours}\"`"),
        (None, Some(near)) => format!("did you mean `\"{near}\"`?"),
        (None, None) => format!("write `{option} = \"{}\"`", names[0]),
    };
    errors.refuse(
        typed,
        format!(
            "unknown {option} `{text}`, expected one of {}",
            list(&names)
        ),
        &help,
    );
    None
}

/// What a literal says.
fn text(expr: Expr) -> Option<String> {
    let Expr::Lit(ExprLit { lit, .. }) = expr else {
        return None;
    };
    match lit {
        Lit::Str(text) => Some(text.value()),
        Lit::Int(number) => Some(number.base10_digits().to_owned()),
        Lit::Float(number) => Some(number.base10_digits().to_owned()),
        Lit::Bool(value) => Some(value.value.to_string()),
        Lit::Char(value) => Some(value.value().to_string()),
        _ => None,
    }
}

/// An expression without the invisible group around it, if it came out of a `macro_rules!`.
fn bare(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => bare(*group.expr),
        expr => expr,
    }
}
