//! The wording of what the macros themselves refuse: fact first, then a `help:` line.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Error;

/// Everything wrong with one item, reported at once.
#[derive(Clone, Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    /// Refuses `tokens`: what is wrong, and what to write instead.
    pub(crate) fn refuse(&mut self, tokens: impl ToTokens, fact: impl AsRef<str>, help: &str) {
        self.push(Error::new_spanned(tokens, text(fact.as_ref(), help)));
    }

    /// As [`refuse`](Self::refuse), at a place without tokens of its own.
    pub(crate) fn refuse_at(&mut self, span: Span, fact: impl AsRef<str>, help: &str) {
        self.push(Error::new(span, text(fact.as_ref(), help)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// One `compile_error!` for each.
    pub(crate) fn into_compile_error(self) -> TokenStream {
        self.0
            .map(|error| error.into_compile_error())
            .unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.0
            .map(|errors| errors.into_iter().map(|error| error.to_string()).collect())
            .unwrap_or_default()
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(Some(error))
    }
}

fn text(fact: &str, help: &str) -> String {
    format!("{fact}\nhelp: {help}")
}

/// `` `a`, `b`, `c` ``
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The valid name that `typed` was probably meant to be.
pub(crate) fn nearest<'a>(typed: &str, valid: &[&'a str]) -> Option<&'a str> {
    valid
        .iter()
        .map(|name| (distance(typed, name), *name))
        .filter(|(distance, name)| *distance <= name.len().max(typed.len()) / 2)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replace = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_a_typo_and_not_a_stranger() {
        let valid = ["scope", "autouse", "reach"];
        assert_eq!(nearest("scoop", &valid), Some("scope"));
        assert_eq!(nearest("auto_use", &valid), Some("autouse"));
        assert_eq!(nearest("banana", &valid), None);
        assert_eq!(nearest("", &valid), None);
    }

    #[test]
    fn counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }

    #[test]
    fn keeps_every_error() {
        let mut errors = Errors::default();
        errors.refuse_at(Span::call_site(), "one", "two");
        errors.refuse_at(Span::call_site(), "three", "four");
        assert_eq!(errors.messages(), ["one\nhelp: two", "three\nhelp: four"]);
    }
}
