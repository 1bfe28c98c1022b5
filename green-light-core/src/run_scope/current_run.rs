//! Which run this process belongs to.
//!
//! A run is the nearest process above that is cargo or nextest: one `cargo test`, of however many binaries, or one
//! `cargo nextest run`, of however many processes. It has ended when that process has. Where there is none, as when a
//! test program is started by hand, or when its cargo was killed before it asked, the run is the process itself.

use std::env;
use std::path::Path;
use std::sync::OnceLock;

use crate::run_scope::assignment::Assignment;
use crate::run_scope::process::ProcessId;

/// The names of the programs whose life is a run.
const RUNNERS: [&str; 2] = ["cargo", "cargo-nextest"];

/// How many bytes of a program's name the system keeps.
const KEPT: usize = 15;

/// The run of this process; `None` if the system does not tell.
pub(crate) fn current_run() -> Option<ProcessId> {
    static RUN: OnceLock<Option<ProcessId>> = OnceLock::new();
    *RUN.get_or_init(|| {
        if let Some(assignment) = Assignment::of_this_process() {
            return Some(assignment.run);
        }
        let cargo = env::var_os("CARGO");
        let cargo = cargo
            .as_deref()
            .and_then(|path| Path::new(path).file_name());
        let cargo = cargo.map(|name| name.to_string_lossy().into_owned());
        let runner = ProcessId::ancestor(|name| is_runner(name, cargo.as_deref()));
        runner.or_else(ProcessId::own)
    })
}

/// `cargo` is the name of the cargo that has started this process, which may be another one where cargo is wrapped.
fn is_runner(name: &str, cargo: Option<&str>) -> bool {
    let kept = |whole: &str| {
        let whole = whole.as_bytes();
        name.as_bytes() == &whole[..whole.len().min(KEPT)]
    };
    RUNNERS.into_iter().any(kept) || cargo.is_some_and(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_and_nextest_are_runners_also_by_another_name() {
        assert!(is_runner("cargo", None) && is_runner("cargo-nextest", None));
        assert!(!is_runner("cargo-watch", None) && !is_runner("sh", Some("cargo")));
        let wrapped = Some(".cargo-wrapped-by-nix");
        assert!(is_runner(".cargo-wrapped-", wrapped) && !is_runner(".cargo", wrapped));
    }
}
