//! What rustc says about mistakes, word for word: one mistake a file under `tests/ui`.
//!
//! Test bodies are stripped outside of `cargo test`, so mistakes in parameters are shown with
//! `#[fixture]`, which lowers them in the same way. Accept changed texts with
//! `TRYBUILD=overwrite UPDATE_EXPECT=1 cargo test --test ui`.

use std::{env, process::Command};

use expect_test::expect_file;

#[rustversion::attr(
    not(stable(1.95)),
    ignore = "the texts around ours are those of the stable Rust 1.95 compiler"
)]
#[test]
fn mistakes_are_told_at_their_place_with_the_cure() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/fixture/pass/*.rs");
    cases.compile_fail("tests/ui/fixture/fail/*.rs");
    cases.pass("tests/ui/test/pass/*.rs");
    cases.compile_fail("tests/ui/test/fail/*.rs");
}

/// Without green-light nothing can be said about the cure: the page about diagnostics has it.
#[rustversion::attr(
    not(stable(1.95)),
    ignore = "the texts are those of the stable Rust 1.95 compiler"
)]
#[test]
fn plain_tests_with_parameters_are_refused_by_rustc() {
    let directory = tempfile::tempdir().unwrap();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args([
            "--edition=2024",
            "--test",
            "--emit=metadata",
            "--color=never",
        ])
        .arg("--out-dir")
        .arg(directory.path())
        .arg("tests/ui/plain/parameters.rs")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    expect_file!["ui/plain/parameters.stderr"].assert_eq(&text);
}
