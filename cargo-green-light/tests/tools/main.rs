//! What needs programs that not every machine has: the page and the picture in a browser, and nextest.
//!
//! `cargo xtask test` installs them. A program that is missing fails the test that needs it.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

mod browser;
#[path = "../support/command.rs"]
mod command;
mod graph;
mod init;
mod nextest;
mod page;
mod picture;
#[path = "../support/project.rs"]
mod project;
