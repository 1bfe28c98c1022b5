//! What rustc says about mistakes, word for word: one mistake a file under `tests/ui`.
//!
//! Test bodies are stripped outside of `cargo test`, so mistakes in parameters are shown with
//! `#[fixture]`, which lowers them in the same way. Accept changed texts with
//! `TRYBUILD=overwrite cargo test --test ui`.

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
