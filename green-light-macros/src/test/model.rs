//! A test that has passed every check, with the places rustc's own errors belong to.

use std::time::Duration;

use proc_macro2::Ident;

use super::case::Given;
use crate::crate_path::CratePath;
use crate::function::Function;
use crate::params::{Param, Request};

/// A valid test.
pub(crate) struct Model {
    pub(crate) krate: CratePath,
    pub(crate) function: Function,
    pub(crate) params: Vec<Param>,
    pub(crate) uses: Vec<Request>,
    pub(crate) without: Vec<Request>,
    /// What cases give to fixtures.
    pub(crate) given: Vec<Given>,
    /// The function whose case this is.
    pub(crate) group: Option<String>,
    pub(crate) isolation: Option<Ident>,
    /// One test for each; none is one test for what fixture `backend` says.
    pub(crate) backends: Vec<Ident>,
    pub(crate) context: bool,
    pub(crate) timeout: Option<Duration>,
}
