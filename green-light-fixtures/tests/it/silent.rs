//! A server that takes connections and then says nothing, as a stopped one does: an error, in time.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation};

use crate::{
    children::{part, playing, said},
    support::run,
};

/// Two waits for an answer, and some time for the machine.
const BOUND: Duration = Duration::from_secs(90);

async fn refusal(backend: Backend) -> String {
    let started = Instant::now();
    let refused = async {
        let engine = Engine::builder().backend(backend).build().await?;
        engine.session(Isolation::Transaction).await.map(drop)
    };
    let error = refused.await.unwrap_err();
    assert!(started.elapsed() < BOUND, "{:?}", started.elapsed());
    format!("{error:?}")
}

#[expect(clippy::print_stdout, reason = "the process tells its parent")]
fn a_server_that_says_nothing(name: &str, backend: Backend, variable: &str, url: &str) {
    if part().is_some() {
        println!("{}", run(refusal(backend)));
        return;
    }
    // Connections wait in its queue, and nobody takes them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut child = playing(&format!("silent::{name}"), "test");
    child.env(variable, url.replace("PORT", &port.to_string()));
    let text = said(child.spawn().unwrap());
    assert!(text.contains("said nothing for 20 s"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_postgres_server_that_says_nothing_is_an_error_in_time() {
    a_server_that_says_nothing(
        "a_postgres_server_that_says_nothing_is_an_error_in_time",
        Backend::Postgres,
        "GREEN_LIGHT_POSTGRES_URL",
        "postgres://app:secret@127.0.0.1:PORT/app",
    );
}

#[test]
fn a_mysql_server_that_says_nothing_is_an_error_in_time() {
    a_server_that_says_nothing(
        "a_mysql_server_that_says_nothing_is_an_error_in_time",
        Backend::MySql,
        "GREEN_LIGHT_MYSQL_URL",
        "mysql://app:secret@127.0.0.1:PORT/app",
    );
}
