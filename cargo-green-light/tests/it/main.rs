//! The command as its users have it: real child processes on real tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

#[path = "../support/command.rs"]
mod command;
mod doctor;
mod init;
#[path = "../support/project.rs"]
mod project;
mod timeline;
