//! The options of a test that few tests have, apart so that the others need not spell them.

/// Whether the body is expected to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Xfail {
    /// It is not.
    No,
    /// A failing body passes; one that passes is told.
    Yes,
    /// A failing body passes; one that passes fails the test.
    Strict,
}

/// What drives the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drive {
    /// The runtime all tests share.
    Shared,
    /// A current-thread runtime of its own.
    CurrentThread,
    /// The same, with a paused clock (`start_paused`).
    Paused,
}

/// Options as the macros emit them.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// `xfail`, `xfail = "strict"`.
    pub xfail: Xfail,
    /// `runtime = ".."`, `start_paused`.
    pub drive: Drive,
    /// `local`: with a `LocalSet`.
    pub local: bool,
    /// `meta(key = value)`, in order.
    pub meta: &'static [(&'static str, &'static str)],
}

impl Options {
    /// Those of a test that sets none.
    pub const NONE: Self = Self {
        xfail: Xfail::No,
        drive: Drive::Shared,
        local: false,
        meta: &[],
    };
}
