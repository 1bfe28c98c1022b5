//! Rules across the options, attributes and signature of a test.

use super::args::Args;
use super::case;
use super::model::{Model, RuntimeChoice};
use crate::diagnostic::Errors;
use crate::function::Function;
use crate::params::{self, Default, Param, Request};
use crate::{signature, stacked};

/// A model, or everything that is wrong.
pub(crate) fn check(mut args: Args, mut function: Function) -> Result<Model, Errors> {
    let given = case::read(&mut args, &mut function);
    let group = args.group.as_ref().map(ToString::to_string);
    let group = group.or_else(|| case::group(&function));
    if group.is_some() {
        case::unmark_mut(&mut function);
    }
    let mut errors = args.errors;
    stacked::check("test", &function.attrs, &mut errors);
    signature::check("test", &function.sig, &mut errors);
    let params = params::read(&mut function.sig, &mut errors);
    for param in &params {
        match param {
            Param::Yield(ident, _) => errors.refuse(
                ident,
                "a test provides no value, so it has nothing to `Yield`",
                "put the teardown in a fixture, or in `request.on_teardown(..)`",
            ),
            Param::Next(ident) => errors.refuse(
                ident,
                "only an around fixture takes `Next`",
                "write `#[fixture(around)]`, or remove the parameter",
            ),
            Param::Default(Default { ident, .. }) => errors.refuse(
                ident,
                "nobody requests a test, so nobody could set its parameters",
                "write the value in the body, or move the parameter to a fixture",
            ),
            Param::Value(_) | Param::Request(_) => {}
        }
    }
    let should_panic = function
        .attrs
        .iter()
        .find(|attr| attr.path().is_ident("should_panic"));
    if let (Some((_, span)), Some(_)) = (args.xfail, should_panic) {
        errors.refuse_at(
            span,
            "a test cannot be both `xfail` and `#[should_panic]`",
            "keep `#[should_panic]` if it has to panic, `xfail` if it ought to pass one day",
        );
    }
    let drive = match (args.runtime, args.start_paused) {
        (Some((RuntimeChoice::Shared, span)), Some(_)) => {
            errors.refuse_at(
                span,
                "the clock of the shared runtime cannot be paused",
                "remove `runtime`: `start_paused` gives the test a runtime of its own",
            );
            RuntimeChoice::Shared
        }
        (_, Some(_)) => RuntimeChoice::Paused,
        (runtime, None) => runtime.map_or(RuntimeChoice::Shared, |(drive, _)| drive),
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Model {
        krate: args.krate,
        function,
        params,
        uses: args.uses.into_iter().map(Request::of).collect(),
        without: args.without.into_iter().map(Request::of).collect(),
        given,
        group,
        isolation: args.isolation,
        backends: args.backends,
        context: args.context.unwrap_or(true),
        timeout: args.timeout,
        xfail: args.xfail.map(|(xfail, _)| xfail),
        drive,
        local: args.local.is_some(),
        meta: args.meta,
    })
}
