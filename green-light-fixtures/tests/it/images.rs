//! What processes do with the image of a schema on SQLite: it is built by one of them, once.
//!
//! Each test has a target directory of its own, and so images of its own.

use std::{process::Command, thread, time::Instant};

use green_light_fixtures::{Engine, EngineBuilder, Isolation, Schema};

use crate::{
    checkout::Checkout,
    children::{part, said, say},
    support::{number, run},
};

/// How many rows a schema has that takes a while.
const MANY: i64 = 100_000;

fn of(test: &str) -> String {
    format!("images::{test}")
}

/// A schema of its own for each `mark`.
fn schema(mark: &str, rows: i64) -> Schema {
    Schema::sql(format!(
        "CREATE TABLE one (x INT, mark TEXT);
         WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {rows})
         INSERT INTO one SELECT x, '{mark}' FROM n;
         CREATE INDEX one_mark ON one (mark, x)"
    ))
}

/// Looks at the database with each isolation, and says what was built.
async fn one_test(engine: EngineBuilder, rows: i64) {
    let engine = engine.build().await.unwrap();
    for isolation in [
        Isolation::Transaction,
        Isolation::Database,
        Isolation::Shared,
    ] {
        let session = engine.session(isolation).await.unwrap();
        assert_eq!(number(&session, "SELECT count(*) FROM one").await, rows);
        session.finish().await.unwrap();
    }
    say("built", &engine.stats().templates_built.to_string());
}

/// How many of the processes have built something.
fn built(processes: impl IntoIterator<Item = Command>) -> usize {
    let processes: Vec<_> = processes
        .into_iter()
        .map(|mut process| process.spawn().unwrap())
        .collect();
    let told = processes.into_iter().map(said);
    told.map(|told| told.matches("built=1\n").count()).sum()
}

#[test]
fn sixteen_processes_that_start_at_once_build_the_image_once() {
    if part().is_some() {
        return run(one_test(Engine::builder().schema(schema("a", MANY)), MANY));
    }
    let test = of("sixteen_processes_that_start_at_once_build_the_image_once");
    let checkout = Checkout::new();
    let process = |_| {
        let mut process = checkout.playing(&test, "test");
        process.env("NEXTEST", "1");
        process
    };
    assert_eq!(built((0..16).map(process)), 1, "cold");
    assert_eq!(built((0..4).map(process)), 0, "warm");
}

#[test]
fn engines_of_one_process_that_are_built_at_once_build_the_image_once() {
    if part().is_some() {
        return run(async {
            let engines: Vec<_> = (0..8)
                .map(|_| tokio::spawn(Engine::builder().schema(schema("a", 1_000)).build()))
                .collect();
            let mut built = 0;
            for engine in engines {
                built += engine.await.unwrap().unwrap().stats().templates_built;
            }
            say("built", &built.to_string());
        });
    }
    let test = of("engines_of_one_process_that_are_built_at_once_build_the_image_once");
    let checkout = Checkout::new();
    assert_eq!(built([checkout.playing(&test, "cold")]), 1);
    assert_eq!(built([checkout.playing(&test, "warm")]), 0);
}

#[test]
fn a_process_killed_at_any_moment_leaves_nothing_that_is_taken_for_an_image() {
    if let Some(mark) = part() {
        return run(one_test(
            Engine::builder().schema(schema(&mark, MANY)),
            MANY,
        ));
    }
    let test = of("a_process_killed_at_any_moment_leaves_nothing_that_is_taken_for_an_image");
    let checkout = Checkout::new();
    let started = Instant::now();
    assert_eq!(built([checkout.playing(&test, "whole")]), 1);
    let whole = started.elapsed();
    for step in 0..16 {
        let mark = format!("k{step}");
        let mut killed = checkout.playing(&test, &mark).spawn().unwrap();
        thread::sleep(whole * step / 16);
        killed.kill().unwrap();
        killed.wait().unwrap();
        // It counts the rows.
        built([checkout.playing(&test, &mark)]);
        assert_eq!(built([checkout.playing(&test, &mark)]), 0, "{step}");
    }
}

#[test]
fn a_changed_byte_makes_a_new_image_and_the_old_text_finds_the_old_one() {
    if let Some(mark) = part() {
        return run(one_test(Engine::builder().schema(schema(&mark, 1)), 1));
    }
    let test = of("a_changed_byte_makes_a_new_image_and_the_old_text_finds_the_old_one");
    let checkout = Checkout::new();
    for (mark, expected) in [("a", 1), ("b", 1), ("a", 0), ("b", 0)] {
        assert_eq!(built([checkout.playing(&test, mark)]), expected, "{mark}");
    }
}

#[test]
fn two_checkouts_build_their_own_images_side_by_side() {
    if part().is_some() {
        return run(one_test(Engine::builder().schema(schema("a", MANY)), MANY));
    }
    let test = of("two_checkouts_build_their_own_images_side_by_side");
    let checkouts = [Checkout::new(), Checkout::new()];
    let processes = checkouts
        .iter()
        .flat_map(|checkout| (0..4).map(|_| checkout.playing(&test, "test")));
    assert_eq!(built(processes), 2);
}

#[test]
fn databases_in_files_are_made_from_the_same_image() {
    if let Some(part) = part() {
        let engine = Engine::builder().schema(schema("a", 10));
        let own = tempfile::tempdir().unwrap();
        let engine = match part.as_str() {
            "file" => engine.file(),
            "directory" => engine.directory(own.path()),
            _ => engine,
        };
        return run(one_test(engine, 10));
    }
    let test = of("databases_in_files_are_made_from_the_same_image");
    let checkout = Checkout::new();
    for (part, expected) in [("file", 1), ("directory", 0), ("memory", 0), ("file", 0)] {
        assert_eq!(built([checkout.playing(&test, part)]), expected, "{part}");
    }
}

/// What a schema refuses is told by each process, and kept by none.
#[test]
fn a_schema_that_fails_is_an_error_in_each_process() {
    if part().is_some() {
        return run(async {
            let schema = Schema::sql("CREATE TABLE one (x INT); INSERT INTO two VALUES (1)");
            let error = Engine::builder().schema(schema).build().await.unwrap_err();
            assert!(error.is_schema(), "{error}");
        });
    }
    let test = of("a_schema_that_fails_is_an_error_in_each_process");
    let checkout = Checkout::new();
    built((0..8).map(|_| checkout.playing(&test, "test")));
}
