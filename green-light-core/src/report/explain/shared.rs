//! Values that a `static` shares, and that another test has spoilt.

use crate::report::explain::known::KnownError;

pub(crate) const KNOWN: &[KnownError] = &[KnownError {
    words: &[
        "Once instance has previously been poisoned",
        "LazyLock instance has previously been poisoned",
    ],
    meaning: "a shared value is not there because the first one that needed it panicked while making it, in another \
              test",
    place: false,
    concern: None,
    help: "look for that first panic; a `#[fixture(scope = \"process\")]` keeps its failure, and every test that \
           needs it names it",
}];
