//! SQL as text: where a statement, a routine's body and a client's command end, and what a statement does
//! to a transaction or a session. Nothing here talks to a database.

pub(crate) mod classify;
pub(crate) mod client_commands;
pub(crate) mod lexer;
pub(crate) mod mysql_blocks;
pub(crate) mod pieces;
pub(crate) mod program_body;
pub(crate) mod shorten;
pub(crate) mod split;
