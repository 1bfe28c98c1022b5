//! A function can be one thing only: refuses a second test or fixture attribute on it.

use quote::ToTokens;
use syn::Attribute;

use crate::diagnostic::Errors;

/// Whether an attribute makes a test of a function.
pub(crate) fn is_test(attr: &Attribute) -> bool {
    let last = attr.path().segments.last();
    last.is_some_and(|last| last.ident == "test")
}

/// Checks the attributes below `#[own]`.
pub(crate) fn check(own: &str, attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs {
        let Some(last) = attr.path().segments.last() else {
            continue;
        };
        let name = attr.path().to_token_stream().to_string().replace(' ', "");
        if last.ident == "fixture" {
            let (fact, help) = if own == "fixture" {
                (
                    format!("`#[{name}]` is a second fixture attribute"),
                    "keep one",
                )
            } else {
                (
                    format!("a test is not a fixture: `#[{name}]` does not belong here"),
                    "remove it, and request fixtures as parameters",
                )
            };
            errors.refuse(attr, fact, help);
        } else if is_test(attr) {
            let (fact, help) = if own == "fixture" {
                (
                    format!("a fixture is not a test: `#[{name}]` does not belong here"),
                    "remove `#[fixture]` from a test, or this from a fixture".to_owned(),
                )
            } else if name.contains("prelude") {
                // What `#[tokio::test]` and others leave behind when they stand above.
                (
                    "another attribute above makes a test of this, without its fixtures".to_owned(),
                    "remove `#[tokio::test]` or the like, and keep `#[green_light::test]`"
                        .to_owned(),
                )
            } else {
                (
                    format!("`#[{name}]` would run the test a second time, without its fixtures"),
                    format!("remove `#[{name}]`"),
                )
            };
            errors.refuse(attr, fact, &help);
        }
    }
}
