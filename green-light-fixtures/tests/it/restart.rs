//! What is kept on a server of green-light's own outlives the server.

use std::{fs, path::PathBuf, process::Command};

use green_light_fixtures::{Backend, Isolation, Schema};

use crate::{
    checkout::Checkout,
    children::{part, said, say, value},
    support::{On, engine_of, engine_on, number, run, text},
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

/// The part of a process: a test of a schema with a table that a crash empties. The server is killed after it.
async fn test_before_a_crash() {
    let schema =
        "CREATE UNLOGGED TABLE u (id bigserial, email text); INSERT INTO u (email) VALUES ('seed')";
    let engine = engine_of(Backend::Postgres, Schema::sql(schema)).await;
    for isolation in [Isolation::Transaction, Isolation::Database] {
        let session = engine.session(isolation).await.unwrap();
        assert_eq!(number(&*session, "SELECT count(*) FROM u").await, 1);
        let data = text(&*session, "SELECT current_setting('data_directory')").await;
        session.finish().await.unwrap();
        if isolation == Isolation::Database {
            let file = fs::read_to_string(format!("{data}/postmaster.pid")).unwrap();
            say("built", &engine.stats().templates_built.to_string());
            say("data", &data);
            let pid = file.lines().next().unwrap();
            let killed = Command::new("kill").args(["-9", pid]).status();
            assert!(killed.unwrap().success());
        }
    }
}

#[test]
fn a_template_whose_unlogged_tables_a_crash_has_emptied_is_built_again() {
    if part().is_some() {
        return run(test_before_a_crash());
    }
    let checkout = Checkout::new();
    let name = "restart::a_template_whose_unlogged_tables_a_crash_has_emptied_is_built_again";
    let mut data = PathBuf::new();
    for _ in 0..2 {
        let mut playing = checkout.playing(name, "test");
        playing.env_remove("GREEN_LIGHT_POSTGRES_URL");
        let said = said(playing.spawn().unwrap());
        assert_eq!(value(&said, "built"), "1");
        data = PathBuf::from(value(&said, "data"));
        checkout.stopped(&data);
    }
    checkout.end(&data);
}
