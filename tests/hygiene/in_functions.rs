//! Fixtures and tests declared where only a function sees them, and by macros.

#[test]
fn a_fixture_inside_a_function_compiles() {
    use green_light::prelude::*;

    #[fixture]
    fn inner() -> u8 {
        1
    }

    #[fixture]
    fn outer(inner: &u8) -> u8 {
        inner + 1
    }

    // Nobody runs a test inside a function, so the item itself is all there is to see.
    let _ = outer();
}
