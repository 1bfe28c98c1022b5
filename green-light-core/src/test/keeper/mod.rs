//! The process that keeps a `run` fixture: the test program, called with an
//! [`Assignment`](crate::run_scope::assignment::Assignment).

pub(crate) mod clients;
pub(crate) mod fixture;
pub(crate) mod keep;
pub(crate) mod kept;
