//! The end of a stack is the end of the process, with a message.

#[cfg(unix)]
use std::os::unix::process::ExitStatusExt as _;
use std::process::Output;

use green_light_core::context::{CancelToken, run_sync};

use crate::support::{block_on, in_child, text};

/// Recursion that no optimiser turns into a loop.
#[inline(never)]
#[expect(unconditional_recursion, reason = "it is to overflow")]
pub(crate) fn endless(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    endless(depth + 1) ^ std::hint::black_box(frame)[7]
}

#[test]
fn an_overflow_aborts_and_names_test_size_and_variable() {
    let output = in_child("overflow::overflowing", &[]);
    assert_aborted(&output);
    let said = text(&output);
    assert!(
        said.contains("test `overflow::overflowing` has overflowed"),
        "{said}"
    );
    assert!(said.contains("(2097152 bytes)"), "{said}");
    assert!(
        said.contains(
            "help: set `GREEN_LIGHT_STACK_SIZE` higher, such as `GREEN_LIGHT_STACK_SIZE=8M`"
        ),
        "{said}"
    );
}

#[test]
fn the_variable_sets_the_size() {
    let output = in_child(
        "overflow::overflowing",
        &[("GREEN_LIGHT_STACK_SIZE", "256K")],
    );
    assert_aborted(&output);
    assert!(
        text(&output).contains("(262144 bytes)"),
        "{}",
        text(&output)
    );
}

#[test]
fn the_runner_can_name_the_test() {
    let output = in_child("overflow::overflowing_under_a_name", &[]);
    assert_aborted(&output);
    assert!(
        text(&output).contains("test `shop::buys` has overflowed"),
        "{}",
        text(&output)
    );
}

#[test]
fn a_bad_size_fails_the_first_context() {
    let output = in_child("overflow::fitting", &[("GREEN_LIGHT_STACK_SIZE", "big")]);
    assert_eq!(output.status.code(), Some(101));
    let said = text(&output);
    assert!(
        said.contains("`GREEN_LIGHT_STACK_SIZE` is `big`, expected bytes"),
        "{said}"
    );
    assert!(in_child("overflow::fitting", &[]).status.success());
}

pub(crate) fn assert_aborted(output: &Output) {
    #[cfg(unix)]
    assert_eq!(output.status.signal(), Some(6), "{}", text(output));
    // As a fast failure, which no handler sees.
    #[cfg(windows)]
    assert_eq!(
        output.status.code(),
        Some(0xC000_0409_u32.cast_signed()),
        "{}",
        text(output)
    );
}

#[test]
#[ignore = "started by the tests above, in a process of its own"]
fn overflowing() {
    block_on(run_sync(|| endless(0)));
}

#[test]
#[ignore = "started by the tests above, in a process of its own"]
fn overflowing_under_a_name() {
    block_on(CancelToken::named("shop::buys").scope(run_sync(|| endless(0))));
}

#[test]
#[ignore = "started by the tests above, in a process of its own"]
fn fitting() {
    block_on(run_sync(|| ()));
}
