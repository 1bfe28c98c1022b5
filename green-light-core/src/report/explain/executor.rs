//! Other executors.

use crate::report::explain::known::KnownError;

pub(crate) const KNOWN: &[KnownError] = &[KnownError {
    words: &["cannot execute `LocalPool` executor from within another executor"],
    meaning: "`futures::executor::block_on` was called in code that another `block_on` of its kind is running",
    place: false,
    concern: None,
    help: "write `.await`; in synchronous code write `green_light::wait(future)`",
}];
