//! Why a test's fixtures cannot be put in order.

use std::fmt;

use crate::fixture::Definition;

/// A mistake in the graph of fixtures, found before anything is set up.
#[derive(Clone, Debug)]
pub(crate) enum PlanError {
    /// Fixtures that need each other.
    Cycle { path: Vec<&'static Definition> },
    /// An override that ends before a fixture that needs it.
    Scope {
        dependent: &'static Definition,
        dependency: &'static Definition,
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
