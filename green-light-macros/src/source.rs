//! The parameters of a function whose signature another attribute has rewritten.
//!
//! `#[serial]` above an attribute of ours hands on a function without parameters. Those that were
//! written stand in the source, in front of the body, which is handed on with its place.

use std::str::FromStr;

use proc_macro2::{Span, TokenStream};
use syn::punctuated::Punctuated;
use syn::{FnArg, Signature, Token};

/// What the source says.
pub(crate) enum Written {
    Parameters(Punctuated<FnArg, Token![,]>),
    /// It could not be read.
    Unknown,
}

/// The parameters in front of the body that opens at `open`.
///
/// `None` without a source: outside of a compiler, and in editors that expand macros by themselves.
pub(crate) fn parameters(open: Span) -> Option<Written> {
    if !proc_macro::is_available() {
        return None;
    }
    let open = open.unwrap();
    let path = open.local_file()?;
    let Ok(source) = std::fs::read_to_string(path) else {
        return Some(Written::Unknown);
    };
    let written = before(&source, open.line(), open.column()).and_then(signature);
    Some(written.map_or(Written::Unknown, |signature| {
        Written::Parameters(signature.inputs)
    }))
}

/// The text before a brace; lines and columns begin with 1.
fn before(source: &str, line: usize, column: usize) -> Option<&str> {
    let mut start = 0;
    let mut lines = source.split_inclusive('\n');
    for text in lines.by_ref().take(line.checked_sub(1)?) {
        start += text.len();
    }
    let text = lines.next()?;
    let (offset, found) = text.char_indices().nth(column.checked_sub(1)?)?;
    (found == '{').then(|| &source[..start + offset])
}

/// The signature at the end of `text`.
fn signature(text: &str) -> Option<Signature> {
    let mut end = text.len();
    while let Some(at) = text[..end].rfind("fn") {
        end = at;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let stands_alone = !text[..at].ends_with(is_word) && !text[at + 2..].starts_with(is_word);
        // The name may be that of a fragment in a `macro_rules!`.
        let signature = text[at..].replacen("fn $", "fn ", 1);
        if stands_alone
            && let Ok(tokens) = TokenStream::from_str(&signature)
            && let Ok(signature) = syn::parse2(tokens)
        {
            return Some(signature);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn inputs(source: &str, line: usize, column: usize) -> Option<String> {
        let signature = before(source, line, column).and_then(signature)?;
        Some(signature.inputs.to_token_stream().to_string())
    }

    #[test]
    fn parameters_are_read_from_in_front_of_the_body() {
        let source =
            "fn other(a: u8) {}\n#[serial]\nasync fn one(db: Db, f: fn(u8) -> u8,\n) -> R<()> {\n}";
        assert_eq!(
            inputs(source, 4, 12).as_deref(),
            Some("db : Db , f : fn (u8) -> u8 ,")
        );
        assert_eq!(inputs(source, 4, 11), None);
        assert_eq!(inputs(source, 9, 1), None);
    }

    #[test]
    fn a_name_may_be_a_fragment_and_a_parameter_may_not() {
        assert_eq!(
            inputs("fn $name(a: &u8) { }", 1, 18).as_deref(),
            Some("a : & u8")
        );
        assert_eq!(inputs("fn $name(a: $t) { }", 1, 17), None);
        assert_eq!(inputs("fn other(a: u8) {} call!(name, { })", 1, 31), None);
    }
}
