//! Hostile user code: the expansion must neither break in it nor add a warning to it.

#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications)]
#![deny(
    missing_debug_implementations,
    missing_copy_implementations,
    unused_results
)]
#![deny(clippy::all, clippy::pedantic)]
#![forbid(unsafe_code)]

mod dead_code;
mod entity;
mod in_functions;
mod lints;
mod macros;
mod names;
mod no_prelude;
mod raw_identifiers;
mod renamed;
mod shadowed;
mod strict;
