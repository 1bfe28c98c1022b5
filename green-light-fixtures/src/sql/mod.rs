//! SQL as text: where a statement, a program's body and a client's command end, and what a statement does
//! to a transaction or a session. Nothing here talks to a database.

pub(crate) mod classify;
pub(crate) mod dialect;
pub(crate) mod lexer;
pub(crate) mod program_body;
pub(crate) mod shorten;
pub(crate) mod split;
