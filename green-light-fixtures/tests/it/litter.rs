//! What a run leaves on the disk, and what becomes of what a killed run has left.

use std::{
    env, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use green_light_fixtures::{Backend, Isolation};
use sea_orm::ConnectionTrait;

use crate::{
    checkout::Checkout,
    children::{Partner, part, said, say, value, wait_for_a_line},
    own_server::{OwnServer, database},
    support::{On, engine_on, insert, run, text},
};

on_each_server!(
    a_cluster_with_one_schema_stays_small_and_no_lock_file_stays,
    what_a_killed_run_has_left_neither_fails_nor_outlives_the_next_one,
);

const TESTS: usize = 1_000;
/// How many of them have a database of their own: these take long.
const DATABASES: usize = 25;
/// What a cluster may take of the disk, in bytes.
const MOST: u64 = 120_000_000;

async fn tests(on: On) {
    let engine = engine_on(on.backend).await;
    for number in 0..TESTS {
        let isolation = match number % (TESTS / DATABASES) {
            0 => Isolation::Database,
            1 => Isolation::Shared,
            _ => Isolation::Transaction,
        };
        let session = engine.session(isolation).await.unwrap();
        insert(&*session, "once").await.unwrap();
        if number == 0 {
            let data = match on.backend {
                Backend::Postgres => "SELECT current_setting('data_directory')",
                _ => "SELECT @@datadir",
            };
            say("data", &text(&*session, data).await);
        }
        session.finish().await.unwrap();
    }
}

/// How many databases a killed run leaves: `GREEN_LIGHT_LEFTOVERS` says of how many tests at once it was.
fn left_over() -> usize {
    let wanted = env::var("GREEN_LIGHT_LEFTOVERS").ok();
    wanted.map_or(36, |wanted| wanted.parse().expect("a number"))
}

/// What `path` takes of the disk, in bytes.
fn size(path: &Path) -> u64 {
    let metadata = fs::symlink_metadata(path).unwrap();
    let own = metadata.blocks() * 512;
    if !metadata.is_dir() {
        return own;
    }
    let entries = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    own + entries.map(|entry| size(&entry)).sum::<u64>()
}

fn a_cluster_with_one_schema_stays_small_and_no_lock_file_stays(on: On) {
    if part().is_some() {
        return run(tests(on));
    }
    let checkout = Checkout::new();
    let mut playing = checkout.playing(on.test, "tests");
    playing.env_remove("GREEN_LIGHT_POSTGRES_URL");
    playing.env_remove("GREEN_LIGHT_MYSQL_URL");
    let said = said(playing.spawn().unwrap());
    let data = PathBuf::from(value(&said, "data"));
    checkout.stopped(&data);
    let took = size(&data);
    say("megabytes", &(took / 1_000_000).to_string());
    if took > MOST {
        let mut parts: Vec<_> = fs::read_dir(&data)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (size(&path) / 1_000_000, path))
            .collect();
        parts.sort();
        panic!("{} MB: {parts:?}", took / 1_000_000);
    }
    let base = checkout.program().parent().unwrap().join("green-light");
    let files: Vec<_> = fs::read_dir(base)
        .map(|entries| {
            let names = entries.map(|entry| entry.unwrap().file_name());
            names.filter(|name| name.to_string_lossy().ends_with(".lock"))
        })
        .into_iter()
        .flatten()
        .collect();
    assert!(files.is_empty(), "{files:?}");
    checkout.end(&data);
}

fn what_a_killed_run_has_left_neither_fails_nor_outlives_the_next_one(on: On) {
    match part().as_deref() {
        Some("many") => {
            return run(async {
                let engine = engine_on(on.backend).await;
                let mut sessions = Vec::new();
                for _ in 0..left_over() {
                    sessions.push(engine.session(Isolation::Database).await.unwrap());
                }
                say("database", &database(&sessions[0]));
                wait_for_a_line();
            });
        }
        Some(_) => {
            return run(async {
                let engine = engine_on(on.backend).await;
                for _ in 0..40 {
                    let session = engine.session(Isolation::Database).await.unwrap();
                    session.execute_unprepared("DELETE FROM u").await.unwrap();
                    session.finish().await.unwrap();
                }
                // As long as tests take, which these do not.
                tokio::time::sleep(Duration::from_millis(500)).await;
            });
        }
        None => {}
    }
    let server = OwnServer::start(on);
    let mut killed = Partner::start(&mut server.playing("many"));
    let left = killed.hear("database");
    killed.kill();
    assert!(server.databases().contains(&left));
    let texts = on.texts();
    let rest = format!(
        "SELECT name FROM {} WHERE state NOT IN ('free', 'used')",
        texts.databases
    );
    // What is left after the time that a run has for it goes with the one after.
    let runs = (1..=3).find(|_| {
        server.said("next");
        server.registered(&rest).is_empty()
    });
    say("runs", &format!("{runs:?}"));
    assert!(runs.is_some(), "{:?}", server.registered(&rest));
    assert!(!server.databases().contains(&left));
    server.end();
}
