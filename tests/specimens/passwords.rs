//! Failures with a password in their text.

use green_light::prelude::*;

const URL: &str = "postgres://app:hunter2@db.example.org/shop?sslkey=hunter3";

/// As the options of a driver print themselves.
#[derive(Debug)]
#[expect(dead_code, reason = "`Debug` reads them")]
struct Options {
    username: &'static str,
    password: Option<&'static str>,
}

#[fixture]
fn refused() -> Result<u32, String> {
    Err(format!("no connection to {URL}"))
}

#[green_light::test]
fn a_a_fixture_fails(refused: u32) {
    unreachable!("{refused}");
}

#[green_light::test]
fn b_an_error_is_returned() -> Result<(), Box<dyn std::error::Error>> {
    Err(std::io::Error::other(format!("connecting to {URL}")).into())
}

#[green_light::test]
fn c_an_error_is_unwrapped() {
    let error = Options {
        username: "app",
        password: Some("hunter2"),
    };
    Err::<(), _>(error).unwrap();
}

#[green_light::test]
async fn d_a_task_panics() {
    let task = tokio::spawn(async { panic!("{URL}") });
    task.await.unwrap();
}

#[green_light::test]
#[should_panic(expected = "no such words")]
fn e_another_panic_was_expected() {
    panic!("connecting to {URL}");
}

#[green_light::test]
fn f_teardown_fails(request: &Request) {
    request.on_teardown(async { Err::<(), _>(format!("closing {URL}")) });
}
