//! The call of the user's function with the values it asked for, shared by fixtures and tests.
//!
//! The function stands untouched in a block of its own, after the values have been looked up: it
//! may have the name of a fixture that it requests.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Type};

use crate::crate_path::CratePath;
use crate::function::{Function, plain};
use crate::params::{Default, Param, Taken, place};
use crate::span;

/// A function to be called with its parameters injected.
pub(crate) struct Call<'a> {
    pub(crate) krate: &'a CratePath,
    pub(crate) function: &'a Function,
    /// Those of the function's attributes that belong to it, not to what is generated around it.
    pub(crate) attrs: &'a [Attribute],
    pub(crate) params: &'a [Param],
    /// The method of `BodyArgs` that makes a `Yield`.
    pub(crate) yields: String,
    /// Whether the value lives as long as that of an overridden fixture.
    pub(crate) inherits_scope: bool,
}

impl Call<'_> {
    /// The local that holds the `BodyArgs`.
    pub(crate) fn setup(&self) -> Ident {
        local("setup")
    }

    /// A closure that returns the boxed future of `body`, with the parameters looked up first.
    pub(crate) fn future(&self, body: &TokenStream) -> TokenStream {
        let setup = self.setup();
        let lookups = self.lookups();
        quote! {
            |#setup| ::std::boxed::Box::pin(async move {
                #lookups
                #body
            })
        }
    }

    /// The same for a function that wraps a test.
    pub(crate) fn around(&self) -> TokenStream {
        let private = self.krate.private(Span::call_site());
        let (next, request) = (local("next"), local("request"));
        let argument = |_, param: &Param| match param {
            Param::Request(ident) => {
                let at = span::at(ident.span());
                quote_spanned!(at=> &#request)
            }
            _ => quote!(#next),
        };
        let call = self.call(&argument, &|call| quote!(#call.await));
        quote! {
            #private::Body::Around(|#next, #request| ::std::boxed::Box::pin(async move { #call }))
        }
    }

    /// Statements: what the function returns, in a local that is reported at `at`.
    pub(crate) fn value(&self, at: Span) -> (TokenStream, Ident) {
        let value = Ident::new("__green_light_value", at.resolved_at(Span::mixed_site()));
        let call = self.returned();
        (quote!(let #value = #call;), value)
    }

    /// Statements and the final `Ok(())` for a function that returns nothing.
    pub(crate) fn nothing(&self) -> TokenStream {
        let call = self.returned();
        quote! {
            #call;
            ::core::result::Result::Ok(())
        }
    }

    /// Expression for a function that returns a `Result`, as `ty` says; `take` is the statement
    /// that uses its value.
    pub(crate) fn result(&self, ty: &Type, take: &dyn Fn(&Ident) -> TokenStream) -> TokenStream {
        let private = self.krate.private(Span::call_site());
        let at = place(ty);
        let spanned = self.krate.private(at);
        let (call, value) = self.value(at);
        let error = local("error");
        let take = take(&value);
        let result = quote_spanned!(at=> <#ty as #spanned::Fallible>::into_result(#value));
        quote! {
            #call
            match #result {
                ::core::result::Result::Ok(#value) => {
                    #take;
                    ::core::result::Result::Ok(())
                }
                ::core::result::Result::Err(#error) => {
                    use #private::{RenderBoxed as _, RenderDebug as _, RenderError as _};
                    ::core::result::Result::Err((&&&#error).failure())
                }
            }
        }
    }

    /// The same for a test, which `infallible` or `fallible` in core runs: a closure.
    ///
    /// In the static that names the requests, or rustc would tell twice what is no fixture.
    pub(crate) fn test(&self, output: Option<&Type>) -> TokenStream {
        let private = self.krate.private(Span::call_site());
        let setup = self.setup();
        let lookups = self.lookups();
        let body = self.call(
            &|index, param| argument(self.krate, index, param),
            &|call| {
                let at = output.map_or_else(Span::call_site, place);
                let future = match self.function.sig.asyncness {
                    // What is lent to the body exclusively is kept beside it.
                    Some(_) if self.params.iter().any(Param::is_exclusive) => {
                        quote_spanned!(at=> ::std::boxed::Box::pin(async move { #call.await }))
                    }
                    Some(_) => quote_spanned!(at=> ::std::boxed::Box::pin(#call)),
                    // Its waits suspend nothing but the runner.
                    None => quote_spanned! {at=>
                        ::std::boxed::Box::pin(async move { #private::synchronous(|| #call) })
                    },
                };
                if output.is_none() {
                    return quote!(#private::infallible(#future));
                }
                let private = self.krate.private(at);
                let error = local("error");
                quote_spanned! {at=>
                    #private::fallible(#future, |#error| {
                        use #private::{RenderBoxed as _, RenderDebug as _, RenderError as _};
                        (&&&#error).failure()
                    })
                }
            },
        );
        quote! {
            |#setup| {
                #lookups
                #body
            }
        }
    }

    /// Expression: what the function returns.
    fn returned(&self) -> TokenStream {
        let private = self.krate.private(Span::call_site());
        self.call(
            &|index, param| argument(self.krate, index, param),
            &|call| match self.function.sig.asyncness {
                Some(_) => quote!(#call.await),
                None => quote!(#private::synchronous(|| #call)),
            },
        )
    }

    /// A block with the function in it, and what `then` makes of its call.
    fn call(
        &self,
        argument: &dyn Fn(usize, &Param) -> TokenStream,
        then: &dyn Fn(TokenStream) -> TokenStream,
    ) -> TokenStream {
        let Function { sig, body, .. } = self.function;
        let (attrs, ident) = (self.attrs, &sig.ident);
        let arguments = self.params.iter().enumerate();
        let arguments = arguments.map(|(index, param)| argument(index, param));
        let lints = self.lints();
        let then = then(quote!(#ident(#(#arguments),*)));
        quote! {
            {
                #lints
                #(#attrs)*
                #sig #body
                #then
            }
        }
    }

    /// Silences lints about the signature, which the fixtures dictate, and about the call.
    fn lints(&self) -> TokenStream {
        let takes = if self.params.is_empty() {
            TokenStream::new()
        } else {
            quote! {
                clippy::borrowed_box,
                clippy::needless_pass_by_ref_mut,
                clippy::needless_pass_by_value,
                clippy::ptr_arg,
                clippy::ref_option,
                clippy::too_many_arguments,
                clippy::trivially_copy_pass_by_ref,
            }
        };
        // An around fixture has to be `async`, and others may want to be. No future of theirs is
        // sent anywhere, and none of them can be `const`.
        let called = match self.function.sig.asyncness {
            Some(_) => quote!(clippy::future_not_send, clippy::unused_async),
            None => quote!(clippy::missing_const_for_fn),
        };
        quote!(#[cfg_attr(clippy, allow(#takes #called, clippy::single_call_fn))])
    }

    /// One statement a parameter: its value, kept in a local that outlives the call.
    fn lookups(&self) -> TokenStream {
        let setup = self.setup();
        let mut dependency: usize = 0;
        let lookups = self.params.iter().enumerate().map(|(index, param)| {
            let local = value_of(index, param);
            let at = span::at(param.span());
            match param {
                Param::Value(request) => {
                    let marker = request.marker();
                    let place = dependency;
                    dependency += 1;
                    let private = self.krate.private(at);
                    let setup = Ident::new(&setup.to_string(), at.resolved_at(setup.span()));
                    match request.taken {
                        Taken::Lent => {
                            quote_spanned!(at=> let #local = #setup.value(#place, #marker);)
                        }
                        Taken::Owned => {
                            quote_spanned!(at=> let #local = #setup.take(#place, #marker);)
                        }
                        Taken::Exclusive => quote_spanned! {at=>
                            let mut #local = #private::exclusive(#setup.take(#place, #marker));
                        },
                    }
                }
                Param::Default(Default { ident, ty, value }) => {
                    let (arguments, name) = (self::local("arguments"), field(ident));
                    let at = span::at(value.span());
                    quote_spanned! {at=>
                        let #local: #ty = match #arguments.#name {
                            ::core::option::Option::Some(#local) => #local,
                            ::core::option::Option::None => {
                                let #local: #ty = #value;
                                #local
                            }
                        };
                    }
                }
                Param::Request(_) => quote_spanned!(at=> let #local = #setup.request();),
                Param::Yield(_, ty) => {
                    let at = place(ty);
                    let yields = Ident::new(&self.yields, at);
                    let eraser = self
                        .inherits_scope
                        .then(|| eraser(self.krate, &quote!(#ty)));
                    quote_spanned!(at=> let #local = #setup.#yields::<#ty>(#eraser);)
                }
                // Refused outside of around fixtures, which look nothing up.
                Param::Next(_) => TokenStream::new(),
            }
        });
        let arguments = self.params.iter().any(Param::is_default).then(|| {
            let (arguments, ty) = (local("arguments"), defaults(&self.function.sig.ident));
            quote!(let #arguments = #setup.arguments::<#ty>();)
        });
        arguments.into_iter().chain(lookups).collect()
    }
}

/// An argument, reported at its parameter if it does not fit.
fn argument(krate: &CratePath, index: usize, param: &Param) -> TokenStream {
    let local = value_of(index, param);
    let at = span::at(param.span());
    match param {
        // A place expression has a type of its own, so that it is this type rustc compares with
        // the parameter's, and a reference may be coerced: `&str` for a `String`.
        Param::Value(request) => match request.taken {
            Taken::Lent => quote_spanned!(at=> &*#local),
            Taken::Owned => {
                let private = krate.private(at);
                quote_spanned!(at=> #private::by_value(#local))
            }
            Taken::Exclusive => quote_spanned!(at=> &mut *#local),
        },
        Param::Default(_) | Param::Request(_) | Param::Yield(..) | Param::Next(_) => quote!(#local),
    }
}

/// The local for the parameter at `index`.
fn value_of(index: usize, param: &Param) -> Ident {
    let at = param.span().resolved_at(Span::mixed_site());
    format_ident!("__green_light_{}", index, span = at)
}

/// Expression: how a value of type `output` is kept for the scope of an overridden fixture.
pub(crate) fn eraser(krate: &CratePath, output: &TokenStream) -> TokenStream {
    let private = krate.private(Span::call_site());
    quote! {{
        #[allow(unused_imports)]
        use #private::{KeepLocal as _, KeepShared as _};
        (&&#private::Keep::<#output>::new(__GREEN_LIGHT_SCOPE)).eraser()
    }}
}

/// The struct of a fixture's default parameters.
pub(crate) fn defaults(fixture: &Ident) -> Ident {
    format_ident!(
        "__green_light_defaults_of_{}",
        plain(fixture),
        span = Span::mixed_site()
    )
}

/// The field of a default parameter in it.
pub(crate) fn field(param: &Ident) -> Ident {
    let name = param.to_string();
    match name.strip_prefix('_') {
        Some(rest) if syn::parse_str::<Ident>(rest).is_ok() => Ident::new(rest, param.span()),
        _ => param.clone(),
    }
}

/// A local of the expansion. Locals have a hygiene of their own: no fixture is hidden by one.
fn local(name: &str) -> Ident {
    format_ident!("__green_light_{}", name, span = Span::mixed_site())
}
