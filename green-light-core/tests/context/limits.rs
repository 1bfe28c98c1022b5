//! What is said where the system gives no more.

#![cfg(unix)]

use std::{
    env,
    process::{Command, Output},
};

use green_light_core::{
    context::{CancelToken, run_sync},
    runtime,
};

use crate::support::{block_on, text};

/// Runs an ignored test in a process of its own, with less of what `ulimit` says.
fn in_child_with(limit: &str, test: &str, variables: &[(&str, &str)]) -> Output {
    let this = env::current_exe().expect("a test binary knows its path");
    let script = format!("ulimit {limit}; exec \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &script, "sh"]).arg(this);
    command.args([test, "--exact", "--ignored"]);
    command.envs(variables.iter().copied());
    command.output().expect("a test binary runs")
}

#[test]
fn a_stack_that_cannot_be_had_is_told_with_its_size() {
    let size = [("GREEN_LIGHT_STACK_SIZE", "1024M")];
    let said = text(&in_child_with("-v 900000", "limits::entering", &size));
    assert!(
        said.contains("no stack of 1073741824 bytes for a coroutine context: "),
        "{said}"
    );
    assert!(
        said.contains("help: set `GREEN_LIGHT_STACK_SIZE` lower"),
        "{said}"
    );
}

#[test]
fn a_runtime_that_cannot_be_built_is_told_with_the_limits_to_look_at() {
    let said = text(&in_child_with("-n 4", "limits::on_the_runtime", &[]));
    assert!(
        said.contains("the shared tokio runtime could not be built"),
        "{said}"
    );
    assert!(said.contains("(`ulimit -u`, `ulimit -n`)"), "{said}");
    assert!(said.contains("caused by: Too many open files"), "{said}");
}

#[test]
#[ignore = "started by the tests above, in a process of its own"]
fn entering() {
    block_on(CancelToken::default().scope(run_sync(|| ())));
}

#[test]
#[ignore = "started by the tests above, in a process of its own"]
fn on_the_runtime() {
    use std::error::Error as _;

    if let Err(error) = runtime::block_on(async {}) {
        let cause = error.source().expect("the system has said why");
        panic!("{error}\ncaused by: {cause}");
    }
}
