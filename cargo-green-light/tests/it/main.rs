//! The command as its users have it: real child processes on real tests.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

#[path = "../support/command.rs"]
mod command;
mod databases;
mod doctor;
mod init;
mod inspect;
#[path = "../support/place.rs"]
mod place;
#[path = "../support/project.rs"]
mod project;
mod timeline;
