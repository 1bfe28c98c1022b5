//! Other executors.

use crate::report::explain::known::Known;

pub(crate) const KNOWN: &[Known] = &[Known {
    words: &["cannot execute `LocalPool` executor from within another executor"],
    meaning: "`futures::executor::block_on` was called in code that another `block_on` of its kind is running",
    place: false,
    concern: None,
    help: "write `.await`; in synchronous code write `green_light::wait(future)`",
}];
