//! Set-ups that fail.

use green_light::prelude::*;

#[derive(Debug)]
struct ConnectError(std::io::Error);

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no connection to the mail server")
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[fixture]
async fn mailer() -> Result<u32, ConnectError> {
    Err(ConnectError(std::io::Error::other("connection refused")))
}

#[fixture]
fn newsletter(mailer: u32) -> u32 {
    mailer
}

#[fixture]
async fn torn_down(request: &Request) {
    request.on_teardown(async { eprintln!("what was set up is torn down") });
}

#[fixture]
fn undecided() -> Result<u32, String> {
    panic!("cannot decide");
}

#[fixture]
async fn forgetful(give: bool, out: Yield<u32>) {
    if give {
        out.give(1).await;
    }
}

#[fixture]
fn give() -> bool {
    false
}

#[green_light::test(uses(torn_down))]
fn error_in_a_fixture_of_a_fixture(newsletter: u32) {
    unreachable!("{newsletter}");
}

#[green_light::test]
fn panic_in_a_fixture(undecided: u32) {
    unreachable!("{undecided}");
}

#[green_light::test]
fn no_value(forgetful: u32) {
    unreachable!("{forgetful}");
}
