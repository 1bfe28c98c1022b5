//! A server that green-light runs, as `cargo green-light server` shows it.

use std::path::PathBuf;
use std::time::SystemTime;

/// The server of this project and one installed program.
#[derive(Clone, Debug)]
pub struct LocalServerState {
    /// The program.
    pub program: PathBuf,
    /// Where its files are.
    pub directory: PathBuf,
    /// What it has printed since its last start.
    pub log: PathBuf,
    /// Whether there is a cluster: it has been started before.
    pub was_started: bool,
    /// How to reach it, if it runs.
    pub url: Option<String>,
    /// The number of its process.
    pub process: Option<u32>,
    /// Until when it runs on without tests, if it was started so.
    pub held_until: Option<SystemTime>,
}
