//! Why a test's fixtures cannot be put in order.

use std::fmt;

use crate::fixture::Definition;

/// A mistake in the graph of fixtures, found before anything is set up.
#[derive(Clone, Debug)]
pub(crate) enum PlanError {
    /// Fixtures that need each other.
    Cycle { path: Vec<&'static Definition> },
    /// Overrides that override each other, or one that overrides itself.
    OverrideCycle { path: Vec<&'static Definition> },
    /// A dynamic request for an around fixture.
    Around { definition: &'static Definition },
    /// A dynamic request during teardown for what has not been set up.
    Late { definition: &'static Definition },
    /// A fixture with a runtime of its own in a test with a paused clock.
    Paused { definition: &'static Definition },
    /// An override that ends before a fixture that needs it.
    Scope {
        dependent: &'static Definition,
        dependency: &'static Definition,
    },
    /// `#[with]` for a fixture in whose place there is another.
    Arguments {
        wanted: &'static Definition,
        found: &'static Definition,
    },
    /// Two overrides of one fixture, equally near.
    Ambiguous {
        one: &'static Definition,
        other: &'static Definition,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cycle { path } => {
                f.write_str("fixture cycle: ")?;
                for definition in path {
                    write!(f, "`{}` -> ", definition.name)?;
                }
                // It ends where it began.
                if let Some(first) = path.first() {
                    write!(f, "`{}`", first.name)?;
                }
                for definition in path {
                    write!(
                        f,
                        "\n  `{}` is declared at {}",
                        definition.name, definition.location
                    )?;
                }
                f.write_str("\n  help: let one of them do without the other, or move what both need into a third fixture")
            }
            Self::OverrideCycle { path } => {
                if let [own] = path.as_slice() {
                    write!(f, "fixture `{}` overrides itself", own.name)?;
                } else {
                    f.write_str("overrides form a cycle: ")?;
                    let next = path.iter().cycle().skip(1);
                    for (index, (member, next)) in path.iter().zip(next).enumerate() {
                        let comma = if index == 0 { "" } else { ", " };
                        write!(
                            f,
                            "{comma}`{}::{}` overrides `{}::{}`",
                            member.module, member.name, next.module, next.name
                        )?;
                    }
                }
                for member in path {
                    write!(
                        f,
                        "\n  `{}` is declared at {}",
                        member.name, member.location
                    )?;
                }
                f.write_str(
                    "\n  help: let one of them name the fixture that is meant by its whole path, such as \
                     `overrides = green_light::fixtures::schema`, or remove `overrides` from it",
                )
            }
            Self::Scope {
                dependent,
                dependency,
            } => write!(
                f,
                "fixture `{}` (scope `{}`, {}) cannot depend on `{}` (scope `{}`, {}), which ends first\n  \
                 help: give `{}` scope `{}` or wider",
                dependent.name,
                dependent.scope,
                dependent.location,
                dependency.name,
                dependency.scope,
                dependency.location,
                dependency.name,
                dependent.scope,
            ),
            Self::Around { definition } => write!(
                f,
                "around fixture `{}` ({}) cannot be requested at run time, because it wraps the whole test\n  \
                 help: make it `autouse`, or write `uses({})` at the test",
                definition.name, definition.location, definition.name,
            ),
            Self::Late { definition } => write!(
                f,
                "fixture `{}` ({}) has not been set up, and teardown sets nothing up\n  \
                 help: request it during set-up, and use its value in the teardown",
                definition.name, definition.location,
            ),
            Self::Paused { definition } => write!(
                f,
                "a test with `start_paused` cannot use fixture `{}` (scope `{}`, {}): it runs on the shared \
                 runtime, whose clock goes on\n  \
                 help: leave out `start_paused`, give `{}` scope `test`, or make it a plain `fn`",
                definition.name, definition.scope, definition.location, definition.name,
            ),
            Self::Arguments { wanted, found } => write!(
                f,
                "`#[with]` sets parameters of fixture `{}` ({}), which is overridden here by `{}` ({})\n  \
                 help: request the override itself with `#[from(path::to::{})]`, or leave `#[with]` out",
                wanted.name, wanted.location, found.name, found.location, found.name,
            ),
            Self::Ambiguous { one, other } => write!(
                f,
                "two overrides of fixture `{}` are equally near: `{}` ({}) and `{}` ({})\n  \
                 help: keep one of them, or move one into the module of the tests that need it",
                one.root().name,
                one.name,
                one.location,
                other.name,
                other.location,
            ),
        }
    }
}
