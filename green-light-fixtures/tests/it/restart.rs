//! What is kept on a server of green-light's own outlives the server.

use std::{fs, path::PathBuf, process::Command, thread, time::Duration};

use green_light_fixtures::{Backend, Isolation, Schema};

use crate::{
    checkout::Checkout,
    children::{part, said, say, value},
    support::{On, engine_of, engine_on, number, run, text},
};

on_each_server!(
    a_template_outlives_its_server,
    the_supervisor_of_a_server_that_has_ended_ends_soon,
);

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
            let memory = file.lines().nth(6).unwrap().split_whitespace().last();
            say("memory", memory.unwrap());
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
    let (mut data, mut memory) = (PathBuf::new(), String::new());
    for _ in 0..2 {
        let mut playing = checkout.playing(name, "test");
        playing.env_remove("GREEN_LIGHT_POSTGRES_URL");
        let said = said(playing.spawn().unwrap());
        assert_eq!(value(&said, "built"), "1");
        data = PathBuf::from(value(&said, "data"));
        checkout.stopped(&data);
        // A start on the cluster removes what the server before it has left.
        let left = std::mem::replace(&mut memory, value(&said, "memory"));
        assert_ne!(left, memory);
        if let Some(segments) = segments() {
            assert!(!segments.contains(&left), "{left} is in {segments:?}");
            assert!(
                segments.contains(&memory),
                "{memory} is not in {segments:?}"
            );
        }
    }
    if segments().is_some() {
        let removed = Command::new("ipcrm").args(["-m", &memory]).status();
        assert!(removed.unwrap().success());
    }
    checkout.end(&data);
}

/// The shared memory that there is on the machine, where the system tells.
fn segments() -> Option<Vec<String>> {
    let text = fs::read_to_string("/proc/sysvipc/shm").ok()?;
    let lines = text.lines().skip(1);
    let numbers = lines.filter_map(|line| line.split_whitespace().nth(1));
    Some(numbers.map(str::to_owned).collect())
}

/// It would run on for an hour if its server did.
fn the_supervisor_of_a_server_that_has_ended_ends_soon(on: On) {
    if part().is_some() {
        return run(test(on.backend));
    }
    let checkout = Checkout::new();
    let mut playing = checkout.playing(on.test, "test");
    playing.env_remove("GREEN_LIGHT_POSTGRES_URL");
    playing.env_remove("GREEN_LIGHT_MYSQL_URL");
    playing.env("GREEN_LIGHT_LINGER", "3600");
    let said = said(playing.spawn().unwrap());
    let data = PathBuf::from(value(&said, "data"));
    // Until it waits for the hour to be over.
    thread::sleep(Duration::from_secs(7));
    let server = fs::read_to_string(data.parent().unwrap().join("server.pid")).unwrap();
    let killed = Command::new("kill").args(["-9", server.trim()]).status();
    assert!(killed.unwrap().success());
    checkout.end(&data);
}
