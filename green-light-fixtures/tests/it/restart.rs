//! What is kept on a server of green-light's own outlives the server.

use std::path::PathBuf;

use green_light_fixtures::{Backend, Isolation};

use crate::{
    checkout::Checkout,
    children::{part, said, say, value},
    support::{On, engine_on, number, run, text},
};

on_each_server!(a_template_outlives_its_server);

/// The part of a process: a test, on a server that it starts.
async fn test(backend: Backend) {
    let engine = engine_on(backend).await;
    let session = engine.session(Isolation::Database).await.unwrap();
    assert_eq!(number(&*session, "SELECT count(*) FROM u").await, 1);
    let data = match backend {
        Backend::Postgres => "SELECT current_setting('data_directory')",
        _ => "SELECT @@datadir",
    };
    say("data", &text(&*session, data).await);
    say("built", &engine.stats().templates_built.to_string());
    session.finish().await.unwrap();
}

fn a_template_outlives_its_server(on: On) {
    if part().is_some() {
        return run(test(on.backend));
    }
    let checkout = Checkout::new();
    let once = || {
        let mut playing = checkout.playing(on.test, "test");
        playing.env_remove("GREEN_LIGHT_POSTGRES_URL");
        playing.env_remove("GREEN_LIGHT_MYSQL_URL");
        let said = said(playing.spawn().unwrap());
        let data = PathBuf::from(value(&said, "data"));
        checkout.stopped(&data);
        (value(&said, "built"), data)
    };
    let (first, data) = once();
    assert_eq!(first, "1");
    let (second, _) = once();
    assert_eq!(second, "0", "found on a server that was started again");
    checkout.end(&data);
}
