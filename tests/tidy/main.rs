//! The house style, as far as a program can check it.
//!
//! Looks at the files git knows or would know, so that nothing left over from other work counts.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod code;
mod databases;
mod documents;
mod files;
mod guide;
mod imports;
mod layers;
mod layout;
mod strangers;
mod workflows;
