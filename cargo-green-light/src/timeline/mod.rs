//! `cargo green-light timeline`: a run as one page.
//!
//! `run` makes tests of what a run has written, `lanes` puts them side by side, `lost` finds what the
//! lanes did meanwhile, `page` and `summary` show all that.

pub(crate) mod command;
pub(crate) mod lanes;
pub(crate) mod lost;
pub(crate) mod page;
pub(crate) mod run;
pub(crate) mod summary;
