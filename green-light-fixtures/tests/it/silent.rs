//! A server that takes connections and then says nothing, as a stopped one does: an error, in time.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation};

use crate::{
    children::{part, playing, said, say},
    support::{On, run},
};

on_each_server!(a_server_that_says_nothing_is_an_error_in_time);

/// Some waits for an answer, and some time for the machine.
const BOUND: Duration = Duration::from_secs(60);

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

fn a_server_that_says_nothing_is_an_error_in_time(on: On) {
    if part().is_some() {
        return say("refused", &run(refusal(on.backend)));
    }
    let (variable, scheme, database) = match on.backend {
        Backend::Postgres => ("GREEN_LIGHT_POSTGRES_URL", "postgres", "green_light_app"),
        _ => ("GREEN_LIGHT_MYSQL_URL", "mysql", "app"),
    };
    // Connections wait in its queue, and nobody takes them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let mut child = playing(on.test, "test");
    child.env(
        variable,
        format!("{scheme}://app:secret@127.0.0.1:{port}/app"),
    );
    child.env("GREEN_LIGHT_WAIT", "1.5");
    let text = said(child.spawn().unwrap());
    let told =
        format!("at `app@127.0.0.1:{port}/{database}` said nothing for 1.5 s; waited for a login");
    assert!(text.contains(&told), "{text}");
    assert!(text.contains("`GREEN_LIGHT_WAIT=60`"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_wait_that_is_no_number_of_seconds_is_refused() {
    let test = "silent::a_wait_that_is_no_number_of_seconds_is_refused";
    if part().is_some() {
        return say("refused", &run(refusal(Backend::Postgres)));
    }
    for wait in ["soon", "0", "-1"] {
        let mut child = playing(test, "test");
        let text = said(child.env("GREEN_LIGHT_WAIT", wait).spawn().unwrap());
        let told = format!("`GREEN_LIGHT_WAIT={wait}` is not understood");
        assert!(text.contains(&told), "{text}");
    }
}
