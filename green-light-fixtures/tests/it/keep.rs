//! `GREEN_LIGHT_KEEP`: the databases of failed tests, the latest of them, and where they are.

use std::{path::PathBuf, process::Command};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::{
    children::{output, part, playing},
    role::Role,
    support::run,
};

const SQL: &str = "CREATE TABLE evidence (x int)";

async fn leave_evidence(backend: Backend, isolation: Isolation) {
    let engine = Engine::builder()
        .backend(backend)
        .schema(Schema::sql(SQL))
        .build()
        .await
        .unwrap();
    let test = engine.isolate(isolation, "shop::fails").await.unwrap();
    let sql = "INSERT INTO evidence VALUES (7)";
    sea_orm::ConnectionTrait::execute_unprepared(&test.connection(), sql)
        .await
        .unwrap();
    test.keep().unwrap();
    test.finish().await.unwrap();
}

async fn leave_nothing(backend: Backend) {
    let engine = Engine::builder()
        .backend(backend)
        .schema(Schema::sql(SQL))
        .build()
        .await
        .unwrap();
    let session = engine.session(Isolation::Database).await.unwrap();
    session.finish().await.unwrap();
}

/// What a process says that keeps at most `keep` databases.
fn keeping(mut command: Command, keep: &str) -> String {
    let output = output(command.env("GREEN_LIGHT_KEEP", keep).spawn().unwrap());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// The URL after the words that announce it.
fn url(said: &str) -> &str {
    let start = "the database of test `shop::fails` is kept: ";
    let at = said.find(start).unwrap_or_else(|| panic!("{said}"));
    said[at + start.len()..].lines().next().unwrap()
}

#[test]
fn a_failed_tests_file_is_kept_and_the_oldest_goes() {
    if part().is_some() {
        return run(leave_evidence(Backend::Sqlite, Isolation::Database));
    }
    let name = "keep::a_failed_tests_file_is_kept_and_the_oldest_goes";
    let kept: Vec<_> = (0..3)
        .map(|_| keeping(playing(name, "test"), "2"))
        .collect();
    let paths: Vec<_> = kept
        .iter()
        .map(|said| PathBuf::from(url(said).strip_prefix("sqlite://").unwrap()))
        .collect();
    let there: Vec<_> = paths.iter().map(|path| path.exists()).collect();
    assert_eq!(there, [false, true, true], "{paths:?}");
    run(async {
        let mut kept = SqliteConnection::connect(url(&kept[2])).await.unwrap();
        let x: i64 = sqlx::query_scalar("SELECT x FROM evidence")
            .fetch_one(&mut kept)
            .await
            .unwrap();
        assert_eq!(x, 7);
    });
    for path in &paths[1..] {
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_failed_tests_database_on_a_server_is_kept_and_the_oldest_goes() {
    match part().as_deref() {
        Some("test") => return run(leave_evidence(Backend::Postgres, Isolation::Database)),
        Some(_) => return run(leave_nothing(Backend::Postgres)),
        None => {}
    }
    let name = "keep::a_failed_tests_database_on_a_server_is_kept_and_the_oldest_goes";
    let role = run(Role::new());
    let first = keeping(role.playing(name, "test"), "1");
    let second = keeping(role.playing(name, "test"), "1");
    for said in [&first, &second] {
        assert!(!said.contains("secret"), "{said}");
        assert!(
            said.contains("the password is that of `GREEN_LIGHT_POSTGRES_URL`"),
            "{said}"
        );
    }
    run(async {
        let with_password = |said| url(said).replace("***", "secret");
        // Dropped by the second run, or by one that has more time at its end.
        for _ in 0..10 {
            if PgConnection::connect(&with_password(&first)).await.is_err() {
                break;
            }
            keeping(role.playing(name, "other"), "1");
        }
        let gone = PgConnection::connect(&with_password(&first))
            .await
            .unwrap_err();
        assert!(gone.to_string().contains("does not exist"), "{gone}");
        let mut kept = PgConnection::connect(&with_password(&second))
            .await
            .unwrap();
        let x: i32 = sqlx::query_scalar("SELECT x FROM evidence")
            .fetch_one(&mut kept)
            .await
            .unwrap();
        assert_eq!(x, 7);
        kept.close().await.unwrap();
        role.drop().await;
    });
}

#[test]
fn a_transaction_leaves_nothing_to_keep_and_says_so() {
    if part().is_some() {
        return run(leave_evidence(Backend::Sqlite, Isolation::Transaction));
    }
    let name = "keep::a_transaction_leaves_nothing_to_keep_and_says_so";
    let said = keeping(playing(name, "test"), "1");
    assert!(
        said.contains("nothing of test `shop::fails` is kept"),
        "{said}"
    );
    assert!(said.contains("GREEN_LIGHT_ISOLATION=database"), "{said}");
}

#[test]
fn a_limit_that_is_no_number_is_refused() {
    if part().is_some() {
        return run(async {
            let engine = Engine::builder().build().await.unwrap();
            let test = engine.transaction().await.unwrap();
            let error = test.keep().unwrap_err();
            assert!(error.is_configuration());
            assert!(
                error.to_string().contains("`GREEN_LIGHT_KEEP=yes`"),
                "{error}"
            );
            test.finish().await.unwrap();
        });
    }
    let name = "keep::a_limit_that_is_no_number_is_refused";
    keeping(playing(name, "test"), "yes");
}
