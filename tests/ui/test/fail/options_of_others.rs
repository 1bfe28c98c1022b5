//! Options that other crates have, and values in another form.

use green_light::prelude::*;

#[green_light::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_tokio(session: Session) {}

#[green_light::test(migrations = "./migrations", fixtures("users"))]
async fn of_sqlx(session: Session) {}

#[green_light::test(ignore, should_panic)]
async fn of_rust(session: Session) {}

#[green_light::test(database, postgres)]
async fn words_alone(session: Session) {}

#[green_light::test(isolation = "database")]
async fn a_string(session: Session) {}

#[green_light::test(isolation = Isolation::Database)]
async fn a_path(session: Session) {}

#[green_light::test(isolation(shared))]
async fn a_list(session: Session) {}

#[green_light::test(backends = postgres)]
async fn a_word(session: Session) {}

#[green_light::test(isolation: database)]
async fn a_colon(session: Session) {}

#[green_light::test(scope = "process", serial)]
async fn of_elsewhere(session: Session) {}

fn main() {}
