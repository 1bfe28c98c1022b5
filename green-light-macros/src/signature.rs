//! What neither a fixture nor a test can be: rules on the signature that both share.

use syn::visit::{self, Visit};
use syn::{
    BoundLifetimes, FnArg, Lifetime, ParenthesizedGenericArguments, Signature, TraitBound, Type,
    TypeBareFn, TypeImplTrait, TypeReference,
};

use crate::diagnostic::Errors;

/// Checks everything before the parameters' meaning. `what` is "fixture" or "test".
pub(crate) fn check(what: &str, sig: &Signature, errors: &mut Errors) {
    if let Some(token) = &sig.unsafety {
        errors.refuse(
            token,
            format!("a {what} cannot be `unsafe`"),
            "use an `unsafe` block inside it",
        );
    }
    if let Some(token) = &sig.constness {
        errors.refuse(
            token,
            format!("a {what} cannot be `const`"),
            "remove `const`",
        );
    }
    if let Some(token) = &sig.abi {
        errors.refuse(
            token,
            format!("a {what} cannot be `extern`"),
            "remove the ABI, and call the `extern` function inside it",
        );
    }
    if sig.generics.lt_token.is_some() && !sig.generics.params.is_empty() {
        let lifetimes_only = sig.generics.type_params().next().is_none()
            && sig.generics.const_params().next().is_none();
        let help = if lifetimes_only {
            "remove the lifetimes: a `&T` parameter needs none"
        } else {
            "write the concrete type, and one function for each"
        };
        errors.refuse(
            &sig.generics,
            format!("a {what} cannot be generic: nothing would choose the type"),
            help,
        );
    } else if let Some(clause) = &sig.generics.where_clause {
        errors.refuse(
            clause,
            format!("a {what} cannot be generic, so it has no use for bounds"),
            "remove the `where` clause",
        );
    }
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) => errors.refuse(
                receiver,
                format!("a {what} is a free function: it has no `self`"),
                "move it out of the `impl` block, and request what it needs as parameters",
            ),
            FnArg::Typed(typed) => {
                if let Some(found) = impl_trait(&typed.ty) {
                    errors.refuse(
                        found,
                        "a parameter cannot be `impl Trait`: it has the type its fixture provides",
                        "write the concrete type",
                    );
                }
            }
        }
    }
}

/// Checks the type of a fixture's value: nobody could name or keep the others.
pub(crate) fn check_value(ty: &Type, errors: &mut Errors) {
    if let Some(found) = impl_trait(ty) {
        errors.refuse(
            found,
            "a fixture cannot provide `impl Trait`: its value has to be named by those who \
             request it",
            "write the concrete type, or `Box<dyn Trait>`",
        );
    }
    let mut borrows = Borrows::default();
    borrows.visit_type(ty);
    if let Some(found) = borrows.0 {
        errors.refuse(
            found,
            "a fixture cannot provide a borrowed value: what it borrows from ends first",
            "return an owned value, or an `Arc` of it",
        );
    }
}

/// The first `impl Trait` in a type.
fn impl_trait(ty: &Type) -> Option<&TypeImplTrait> {
    #[derive(Default)]
    struct Find<'a>(Option<&'a TypeImplTrait>);

    impl<'a> Visit<'a> for Find<'a> {
        fn visit_type_impl_trait(&mut self, found: &'a TypeImplTrait) {
            self.0.get_or_insert(found);
        }
    }

    let mut find = Find::default();
    find.visit_type(ty);
    find.0
}

/// The first borrow in a type that is not `'static`.
#[derive(Default)]
struct Borrows(Option<proc_macro2::TokenStream>);

impl Borrows {
    fn found(&mut self, tokens: impl quote::ToTokens) {
        self.0.get_or_insert_with(|| tokens.into_token_stream());
    }
}

impl<'a> Visit<'a> for Borrows {
    fn visit_type_reference(&mut self, reference: &'a TypeReference) {
        match &reference.lifetime {
            Some(lifetime) if lifetime.ident == "static" => {
                visit::visit_type(self, &reference.elem);
            }
            _ => self.found(reference),
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
        if lifetime.ident != "static" {
            self.found(lifetime);
        }
    }

    // The lifetimes below are those of a callback's own parameters.

    fn visit_type_bare_fn(&mut self, _: &'a TypeBareFn) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &'a ParenthesizedGenericArguments) {}

    fn visit_bound_lifetimes(&mut self, _: &'a BoundLifetimes) {}

    fn visit_trait_bound(&mut self, bound: &'a TraitBound) {
        if bound.lifetimes.is_none() {
            visit::visit_trait_bound(self, bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(ty: &str) -> usize {
        let mut errors = Errors::default();
        let ty = syn::parse_str(ty).expect("a type");
        check_value(&ty, &mut errors);
        errors.messages().len()
    }

    #[test]
    fn owned_and_static_values_are_fine() {
        for ty in [
            "String",
            "&'static str",
            "Vec<&'static [u8]>",
            "Box<dyn Fn(&str) -> &str + 'static>",
            "fn(&str) -> &str",
            "Box<dyn for<'a> Visit<'a>>",
        ] {
            assert_eq!(refused(ty), 0, "{ty}");
        }
    }

    #[test]
    fn borrows_and_impl_trait_are_refused() {
        for ty in [
            "&str",
            "&'a str",
            "Cow<'_, str>",
            "Vec<Cow<'a, str>>",
            "&'static [&str]",
            "impl Iterator",
            "Result<impl Iterator, E>",
            "Box<dyn Trait + 'a>",
        ] {
            assert_eq!(refused(ty), 1, "{ty}");
        }
    }
}
