//! The comma-separated options of an attribute, each with its place, before they mean anything.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Error, Token};

use crate::diagnostic::{Errors, list, nearest};
use crate::elsewhere;
pub(crate) use crate::setting::{Setting, one_of};

/// The options as written.
pub(crate) fn parse(tokens: TokenStream) -> Result<Punctuated<Setting, Token![,]>, Error> {
    Punctuated::parse_terminated.parse2(tokens)
}

/// Reads the options of `#[attribute(..)]`, refusing unknown and repeated ones. Those that begin
/// with `__` are what one macro tells another.
pub(crate) fn read(
    attribute: &str,
    valid: &[&str],
    tokens: TokenStream,
    errors: &mut Errors,
) -> Vec<Setting> {
    let settings = match parse(tokens) {
        Ok(settings) => settings,
        Err(error) => {
            errors.push(error);
            return Vec::new();
        }
    };
    let mut read: Vec<Setting> = Vec::new();
    for setting in settings {
        let name = setting.name.to_string();
        if name.starts_with("__") {
            read.push(setting);
        } else if !valid.contains(&name.as_str()) {
            let fact = format!(
                "unknown option `{name}` for `#[{attribute}]`, expected one of {}",
                list(valid)
            );
            let help = elsewhere::option(attribute, &name).unwrap_or_else(|| {
                nearest(&name, valid).map_or_else(
                    || "remove it, or use one of these".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                )
            });
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
