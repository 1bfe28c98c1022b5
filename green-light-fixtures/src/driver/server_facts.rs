//! What is known of a server before a test uses it: for `cargo green-light`.

use std::path::PathBuf;

/// What is installed, and which variable names another server.
#[derive(Clone, Debug)]
pub struct ServerFacts {
    /// Its name in sentences.
    pub name: &'static str,
    /// The variable that names a server to use.
    pub variable: &'static str,
    /// Whether it does.
    pub is_named: bool,
    /// The program that green-light starts otherwise.
    pub program: Option<PathBuf>,
    /// What that program says of its version.
    pub program_version: Option<String>,
    /// How to install one.
    pub install: &'static str,
}

/// A server that answers.
#[derive(Clone, Debug)]
pub struct ServerState {
    /// How its administrator connects, without a password.
    pub url: String,
    /// Whether green-light has started it.
    pub is_ours: bool,
    /// As it says itself.
    pub version: Option<String>,
    /// What would make it faster, if it is not ours.
    pub hint: Option<String>,
    /// Its log, if it is ours.
    pub log: Option<PathBuf>,
}
