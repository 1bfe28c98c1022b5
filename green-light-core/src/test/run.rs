//! Runs one test.

use super::case::TestMeta;

/// Runs a test on libtest's thread.
pub fn run_test(meta: &'static TestMeta) {
    drop((meta.body)(crate::fixture::Setup::for_test(meta)));
}
