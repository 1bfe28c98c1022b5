//! What an engine says about a server that a variable names and that cannot be used: what to write instead.

use std::process::Command;

use green_light_fixtures::{Backend, Engine, Isolation};

use crate::{
    children::{output, part, playing},
    role::Role,
    support::run,
};

/// What the engine of a process says that has `url` in `variable`.
fn refusal(test: &str, part: &str, variable: &str, url: &str) -> String {
    said(playing(test, part).env(variable, url))
}

fn said(process: &mut Command) -> String {
    let output = output(process.spawn().unwrap());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it got an engine: {text}");
    text
}

async fn engine(backend: Backend) {
    Engine::builder().backend(backend).build().await.unwrap();
}

#[test]
fn a_postgres_server_that_cannot_be_used_is_told_with_what_to_write() {
    if part().is_some() {
        return run(engine(Backend::Postgres));
    }
    let test = "refusals::a_postgres_server_that_cannot_be_used_is_told_with_what_to_write";
    let role = run(Role::new());
    let server = role.server_of("postgres");
    let other = |role: &str| {
        let (scheme, rest) = server.split_once("://").unwrap();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        format!("{scheme}://{role}@{host}")
    };
    let long = format!("postgres://app@localhost/x?host=/{}", "long/".repeat(40));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = format!("127.0.0.1:{}", taken.local_addr().unwrap().port());
    for (url, parts) in [
        (
            other("no_such_role"),
            &[
                "role \"no_such_role\" does not exist",
                "CREATE ROLE app LOGIN CREATEDB",
            ][..],
        ),
        (
            format!("postgres://app@{tcp}/x?sslmode=require"),
            &[
                "TLS",
                "in `Cargo.toml`, add `tls-rustls` or `tls-native-tls`",
                "`runtime-tokio-rustls`",
            ],
        ),
        (
            long,
            &["SUN_LEN", "the path of a socket may have 107 bytes"],
        ),
        (
            "postgres://app@localhost/x?host=/nowhere".to_owned(),
            &["the socket does not exist: look at the path in `GREEN_LIGHT_POSTGRES_URL`"],
        ),
        (
            "postgres://app@127.0.0.1:1/x".to_owned(),
            &["no server listens there: look at host and port in `GREEN_LIGHT_POSTGRES_URL`"],
        ),
        (
            "postgres://app@no.such.host.invalid/x".to_owned(),
            &["no host has this name: look at the host in `GREEN_LIGHT_POSTGRES_URL`"],
        ),
    ] {
        let text = refusal(test, "engine", "GREEN_LIGHT_POSTGRES_URL", &url);
        for part in parts {
            assert!(text.contains(part), "{part} is not said of {url}: {text}");
        }
        assert_eq!(text.matches("help: ").count(), 1, "{text}");
    }
    // Asked for by a role of which nothing is there yet.
    let text = said(&mut role.playing_in("no_such_database", test, "engine"));
    assert!(text.contains("help: name a database that exists"), "{text}");
    run(role.drop());
}

#[test]
fn a_mysql_server_that_cannot_be_used_is_told_with_what_to_write() {
    if part().is_some() {
        return run(engine(Backend::MySql));
    }
    let test = "refusals::a_mysql_server_that_cannot_be_used_is_told_with_what_to_write";
    let own = run(async {
        let engine = Engine::builder().backend(Backend::MySql).build();
        let engine = engine.await.unwrap();
        let session = engine.session(Isolation::Database).await.unwrap();
        let url = session.url().expose().to_owned();
        session.finish().await.unwrap();
        url
    });
    let (_, query) = own.split_once('?').unwrap();
    let long = format!("mysql://app@localhost/x?socket=/{}", "long/".repeat(40));
    for (url, parts) in [
        (
            format!("mysql://no_such_user@localhost/mysql?{query}"),
            &[
                "Access denied",
                "look at the name, the password, and the host",
            ][..],
        ),
        (
            format!("mysql://root@localhost/no_such_database?{query}"),
            &[
                "Unknown database",
                "name a database that exists in `GREEN_LIGHT_MYSQL_URL`",
            ],
        ),
        (
            long,
            &["SUN_LEN", "the path of a socket may have 107 bytes"],
        ),
        (
            "mysql://app@localhost/x?socket=/nowhere".to_owned(),
            &["the socket does not exist: look at the path in `GREEN_LIGHT_MYSQL_URL`"],
        ),
        (
            "mysql://app@127.0.0.1:1/x".to_owned(),
            &["no server listens there: look at host and port in `GREEN_LIGHT_MYSQL_URL`"],
        ),
    ] {
        let text = refusal(test, "engine", "GREEN_LIGHT_MYSQL_URL", &url);
        for part in parts {
            assert!(text.contains(part), "{part} is not said of {url}: {text}");
        }
        assert_eq!(text.matches("help: ").count(), 1, "{text}");
    }
}
