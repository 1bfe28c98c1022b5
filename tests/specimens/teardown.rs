//! Teardowns that fail: none hides another, nor the body's own failure.

use green_light::prelude::*;

#[fixture]
async fn lower(out: Yield<u32>) -> Result<(), String> {
    out.give(1).await;
    Err("the lower one does not stop".to_owned())
}

#[fixture]
async fn upper(lower: u32, request: &Request, out: Yield<u32>) {
    request.on_teardown(async { Err::<(), _>("a step fails") });
    out.give(lower).await;
    panic!("the upper one panics");
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("panic in drop");
    }
}

#[fixture]
fn panics_in_drop() -> PanicsInDrop {
    PanicsInDrop
}

#[green_light::test]
fn several_fail(upper: u32) {
    assert_eq!(upper, 1);
}

#[green_light::test]
fn the_body_fails_too(upper: u32) {
    assert_eq!(upper, 2);
}

#[green_light::test]
fn a_value_panics_in_drop(panics_in_drop: &PanicsInDrop) {
    let _ = panics_in_drop;
}

#[green_light::test]
fn a_step_of_the_test_fails(request: &Request) {
    request.on_teardown(async { assert_eq!(1, 2, "the step panics") });
}

mod module_scope {
    use green_light::prelude::*;

    #[fixture(scope = "module")]
    async fn server(out: Yield<u16>) -> Result<(), String> {
        out.give(80).await;
        Err("the server does not stop".to_owned())
    }

    #[green_light::test]
    fn a_uses_it(server: u16) {
        assert_eq!(server, 80);
    }

    #[green_light::test]
    fn b_is_the_last_of_the_module() {}

    #[green_light::test]
    #[ignore = "it does not run, so it is not the last"]
    fn c_is_ignored(server: u16) {
        unreachable!("{server}");
    }
}

#[green_light::test]
fn z_is_not_in_that_module() {}
