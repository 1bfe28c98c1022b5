//! What rustc cannot say about a parameter that names no fixture: which fixture is meant.
//!
//! rustc says "cannot find function `db` in this scope", and nothing can be added to that. So a
//! parameter whose name is that of no fixture known here, but whose type is what one provides, gets
//! a check beside the test: a function of the same name that stands further out than everything in
//! the user's module. It is found only if there is no other, and then it is refused in words.
//!
//! ```text
//! mod missing {
//!     fn db() -> Missing { .. }
//!     const _: () = {
//!         use super::*;
//!         Asked(.., db()).is_known();
//!     };
//! }
//! ```
//!
//! Inside of a function, `super` does not see what that function declares: there, the check passes.

use std::sync::{Mutex, PoisonError};

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;

use crate::function::{Function, bare};
use crate::params::{Asked, Param, first_type, last_segment};
use crate::signature;
use crate::span;

/// The ready-made fixtures that have a type of their own, with the last segment of it.
const OURS: [(&str, &str); 10] = [
    ("Session", "session"),
    ("Transaction", "transaction"),
    ("Engine", "engine"),
    ("Schema", "schema"),
    ("Backend", "backend"),
    ("Isolation", "isolation"),
    ("Crowd", "crowd"),
    ("PgPool", "pg_pool"),
    ("MySqlPool", "mysql_pool"),
    ("SqlitePool", "sqlite_pool"),
];

/// The fixtures with a parameter of sqlx, by the database that it names.
const OF_SQLX: [(&str, &str); 3] = [("Postgres", "pg"), ("MySql", "mysql"), ("Sqlite", "sqlite")];

/// What is called so is probably the URL of the database.
const URLS: [&str; 6] = [
    "url",
    "db_url",
    "dsn",
    "database",
    "uri",
    "connection_string",
];

/// The fixtures of this crate so far: each name, with the type of its value as text.
///
/// Only for messages: what is declared further down, or elsewhere, is not among them.
static DECLARED: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Remembers a fixture for those who ask for its type by another name.
pub(crate) fn remember(name: String, value: &TokenStream) {
    let mut declared = DECLARED.lock().unwrap_or_else(PoisonError::into_inner);
    declared.push((name, value.to_string()));
}

/// Checks for those parameters whose fixture is probably another one.
pub(crate) fn checks(function: &Function, params: &[Param], is_fixture: bool) -> TokenStream {
    let own = &function.sig.ident;
    let checks = params.iter().filter_map(|param| {
        let Param::Value(request) = param else {
            return None;
        };
        let asked = request.by_name.as_ref()?;
        if asked.ident == *own {
            return None;
        }
        let help = help(asked, is_fixture)?;
        Some(check(own, asked, &help))
    });
    checks.collect()
}

/// What to write instead, if the name is not that of a fixture.
fn help(asked: &Asked, is_fixture: bool) -> Option<String> {
    let name = asked.name();
    let ty = match bare(&asked.ty) {
        Type::Reference(reference) => bare(&reference.elem),
        ty => ty,
    };
    let declared = DECLARED.lock().unwrap_or_else(PoisonError::into_inner);
    let is_ours = OURS.iter().any(|(_, ours)| *ours == name)
        || [
            "database_url",
            "pg_connection",
            "mysql_connection",
            "sqlite_connection",
        ]
        .contains(&name.as_str());
    if is_ours || declared.iter().any(|(known, _)| *known == name) {
        return None;
    }
    let text = ty.to_token_stream().to_string();
    // Many fixtures provide a number or a text: none of them is meant more than the others.
    let own = declared
        .iter()
        .find(|(_, value)| *value == text && !is_plain(ty));
    let providing = own
        .map(|(own, _)| own.clone())
        .or_else(|| provider(ty, &name));
    let shown = shown(ty);
    if let Some(fixture) = providing {
        let written = shown_type(&asked.ty);
        return Some(format!(
            "fixture `{fixture}` provides `{shown}`: write `{fixture}: {written}`, or \
             `#[from({fixture})] {name}: {written}`"
        ));
    }
    let last = last_segment(ty).map(|last| last.ident.to_string());
    if matches!(
        last.as_deref(),
        Some("DatabaseConnection" | "DatabaseTransaction")
    ) {
        return Some(format!(
            "write `session: Session`, and `&session` where a connection is taken; code that \
             takes a `&{shown}` gets it from `session.connection()`"
        ));
    }
    (is_fixture && is_plain(ty)).then(|| {
        format!(
            "if it is an argument, and not a fixture, give it a value: `#[default(value)] {name}: \
             {}`; those who request the fixture set another by `#[with({name} = value)]`",
            shown_type(&asked.ty)
        )
    })
}

/// The ready-made fixture for a type.
fn provider(ty: &Type, name: &str) -> Option<String> {
    let last = last_segment(ty)?;
    let ident = last.ident.to_string();
    let of_sqlx = |kind: &str| {
        let database = last_segment(first_type(&last.arguments)?)?
            .ident
            .to_string();
        let found = OF_SQLX.iter().find(|(of, _)| *of == database);
        found.map(|(_, prefix)| format!("{prefix}_{kind}"))
    };
    match ident.as_str() {
        "Pool" => of_sqlx("pool"),
        "PoolConnection" => of_sqlx("connection"),
        "PgConnection" => Some("pg_connection".to_owned()),
        "MySqlConnection" => Some("mysql_connection".to_owned()),
        "SqliteConnection" => Some("sqlite_connection".to_owned()),
        // sqlx has a `Transaction<'_, DB>`, which no fixture provides.
        _ if !last.arguments.is_none() => None,
        "String" | "str" => URLS.contains(&name).then(|| "database_url".to_owned()),
        _ => {
            let found = OURS.iter().find(|(of, _)| *of == ident);
            found.map(|(_, fixture)| (*fixture).to_owned())
        }
    }
}

/// Whether a type is one of values that people pass, and hardly what a fixture provides.
fn is_plain(ty: &Type) -> bool {
    const PLAIN: [&str; 17] = [
        "bool", "char", "str", "String", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16",
        "i32", "i64", "isize", "f32", "f64",
    ];
    let Some(last) = last_segment(ty) else {
        return false;
    };
    match first_type(&last.arguments) {
        Some(inner) if last.ident == "Option" || last.ident == "Vec" => is_plain(inner),
        Some(_) => false,
        None => PLAIN.iter().any(|plain| last.ident == plain),
    }
}

/// A type as people write it.
fn shown_type(ty: &Type) -> String {
    match bare(ty) {
        Type::Reference(reference) => format!(
            "&{}{}",
            reference.mutability.map_or("", |_| "mut "),
            shown(&reference.elem)
        ),
        ty => shown(ty),
    }
}

fn shown(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, tight) in [(" :: ", "::"), (" < ", "<"), (" >", ">"), (" ,", ",")] {
        text = text.replace(spaced, tight);
    }
    text
}

/// The check, for one parameter of `own`.
fn check(own: &Ident, asked: &Asked, help: &str) -> TokenStream {
    let at = span::at(asked.ident.span());
    let name = &asked.ident;
    let message = escaped(&format!("there is no fixture `{}` here", asked.name()));
    let note = escaped(help);
    let call = quote_spanned!(at=> Asked(#own, #name()).is_known());
    let signature = quote! {
        #[diagnostic::on_unimplemented(
            message = #message,
            label = "a parameter asks for the fixture of its name",
            note = #note
        )]
    };
    quote! {
        const _: () = {
            #[allow(warnings, clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
            mod __green_light_missing {
                #signature
                trait Known<Place> {}
                impl Known<Inside> for Missing {}
                struct Asked<Place, Marker>(Place, Marker);
                impl<Place> Asked<Place, Missing> {
                    fn is_known(self)
                    where
                        Missing: Known<Place>,
                    {
                    }
                }
                trait IsKnown: Sized {
                    fn is_known(self) {}
                }
                impl<Place, Marker> IsKnown for Asked<Place, Marker> {}
                struct Missing;
                struct Inside;
                const #own: Inside = Inside;
                fn #name() -> Missing {
                    Missing
                }
                const _: fn() = || {
                    use super::*;
                    #call;
                };
            }
        };
    }
}

/// What stands in a format string.
fn escaped(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// Remembers what a function provides, as far as it is a fixture's.
pub(crate) fn remember_function(function: &Function, params: &[Param]) {
    let yielded = params.iter().find_map(|param| match param {
        Param::Yield(_, ty) => Some(&**ty),
        _ => None,
    });
    let Some(ty) = yielded.or_else(|| function.output()) else {
        return;
    };
    let mut errors = crate::diagnostic::Errors::default();
    signature::check_value(ty, &mut errors);
    let value = match last_segment(ty) {
        Some(last) if last.ident == "Result" && yielded.is_none() => first_type(&last.arguments),
        _ => Some(ty),
    };
    if let Some(value) = value.filter(|_| errors.is_empty()) {
        remember(function.name(), &bare(value).to_token_stream());
    }
}
