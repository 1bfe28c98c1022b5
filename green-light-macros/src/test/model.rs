//! A test that has passed every check, with the places rustc's own errors belong to.

use std::time::Duration;

use proc_macro2::Ident;
use syn::{Expr, Path};

use crate::crate_path::CratePath;
use crate::function::Function;
use crate::params::{Param, Request};

/// As in core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Xfail {
    Yes,
    Strict,
}

impl Xfail {
    /// The variant in core.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Yes => "Yes",
            Self::Strict => "Strict",
        }
    }
}

/// As in core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuntimeChoice {
    Shared,
    CurrentThread,
    Paused,
}

impl RuntimeChoice {
    /// Those that `runtime = ".."` can say.
    pub(crate) const NAMED: [Self; 2] = [Self::Shared, Self::CurrentThread];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::CurrentThread | Self::Paused => "current_thread",
        }
    }

    /// The variant in core.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Shared => "Shared",
            Self::CurrentThread => "CurrentThread",
            Self::Paused => "Paused",
        }
    }
}

/// A value that the test gives to a fixture.
pub(crate) struct Supplied {
    pub(crate) fixture: Path,
    pub(crate) value: Expr,
}

/// A valid test.
pub(crate) struct Model {
    pub(crate) krate: CratePath,
    pub(crate) function: Function,
    pub(crate) params: Vec<Param>,
    pub(crate) uses: Vec<Request>,
    pub(crate) without: Vec<Request>,
    /// What cases give to fixtures.
    pub(crate) given: Vec<Supplied>,
    /// The function whose case this is.
    pub(crate) group: Option<String>,
    pub(crate) isolation: Option<Ident>,
    /// One test for each; none is one test for what fixture `backend` says.
    pub(crate) backends: Vec<Ident>,
    pub(crate) context: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) xfail: Option<Xfail>,
    pub(crate) drive: RuntimeChoice,
    pub(crate) local: bool,
    pub(crate) meta: Vec<(String, String)>,
}
