//! `GREEN_LIGHT_KEEP`: the databases of failed tests, the latest of them, and where they are.

use std::{path::PathBuf, process::Command};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::{ConnectionTrait, Database};
use sqlx::{Connection, MySqlConnection, PgConnection, SqliteConnection};

use crate::{
    children::{output, part, playing},
    mysql_server::MySqlServer,
    role::Role,
    support::{number, run},
};

const SQL: &str = "CREATE TABLE evidence (x int)";

async fn engine(backend: Backend) -> Engine {
    Engine::builder()
        .backend(backend)
        .schema(Schema::sql(SQL))
        .build()
        .await
        .unwrap()
}

async fn insert_evidence(db: &impl ConnectionTrait) {
    let sql = "INSERT INTO evidence VALUES (7)";
    db.execute_unprepared(sql).await.unwrap();
}

async fn leave_evidence(backend: Backend, isolation: Isolation) {
    let engine = engine(backend).await;
    let test = engine.isolate(isolation, "shop::fails").await.unwrap();
    insert_evidence(&test.connection()).await;
    test.keep().unwrap();
    test.finish().await.unwrap();
}

async fn leave_nothing(backend: Backend) {
    let engine = engine(backend).await;
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
fn a_failed_tests_database_on_mysql_is_kept_and_the_oldest_goes() {
    match part().as_deref() {
        Some("test") => return run(leave_evidence(Backend::MySql, Isolation::Database)),
        Some(_) => return run(leave_nothing(Backend::MySql)),
        None => {}
    }
    let name = "keep::a_failed_tests_database_on_mysql_is_kept_and_the_oldest_goes";
    let server = MySqlServer::start(50);
    let kept: Vec<_> = (0..3)
        .map(|_| keeping(server.playing(name, "test"), "2"))
        .collect();
    for said in &kept {
        assert!(!said.contains("secret"), "{said}");
        assert!(
            said.contains("the password is that of `GREEN_LIGHT_MYSQL_URL`"),
            "{said}"
        );
    }
    run(async {
        let urls: Vec<_> = kept
            .iter()
            .map(|said| url(said).replace("***", server.password))
            .collect();
        // Dropped by the third run, or by one that has more time at its end.
        for _ in 0..10 {
            if MySqlConnection::connect(&urls[0]).await.is_err() {
                break;
            }
            keeping(server.playing(name, "other"), "2");
        }
        let gone = MySqlConnection::connect(&urls[0]).await.unwrap_err();
        assert!(gone.to_string().contains("Unknown database"), "{gone}");
        for url in &urls[1..] {
            let mut kept = MySqlConnection::connect(url).await.unwrap();
            let x: i32 = sqlx::query_scalar("SELECT x FROM evidence")
                .fetch_one(&mut kept)
                .await
                .unwrap();
            assert_eq!(x, 7);
            kept.close().await.unwrap();
        }
    });
    server.end();
}

/// The database that tests share is kept with what the failed one wrote, and the next has another.
async fn share_with_the_next(backend: Backend) {
    let engine = engine(backend).await;
    let first = engine
        .isolate(Isolation::Shared, "shop::fails")
        .await
        .unwrap();
    let at = first.session().url().clone();
    insert_evidence(&first.connection()).await;
    first.keep().unwrap();
    first.finish().await.unwrap();
    let next = engine.session(Isolation::Shared).await.unwrap();
    assert_ne!(*next.url(), at);
    assert_eq!(number(&next, "SELECT count(*) FROM evidence").await, 0);
    next.finish().await.unwrap();
    // A file is elsewhere now.
    if backend != Backend::Sqlite {
        expect_evidence(at.expose()).await;
    }
}

async fn expect_evidence(url: &str) {
    let kept = Database::connect(url).await.unwrap();
    assert_eq!(number(&kept, "SELECT count(*) FROM evidence").await, 1);
    kept.close().await.unwrap();
}

fn the_shared_database_is_kept_and_the_next_test_has_another(module: &str, backend: Backend) {
    if part().is_some() {
        return run(share_with_the_next(backend));
    }
    let test = "the_shared_database_is_kept_and_the_next_test_has_another";
    let name = format!("keep::{module}::{test}");
    let said = keeping(playing(&name, "test"), "1");
    let at = url(&said);
    if let Some(file) = at.strip_prefix("sqlite://") {
        run(expect_evidence(at));
        std::fs::remove_file(file).unwrap();
    }
}

fn a_transaction_leaves_nothing_to_keep_and_says_so(module: &str, backend: Backend) {
    if part().is_some() {
        return run(leave_evidence(backend, Isolation::Transaction));
    }
    let test = "a_transaction_leaves_nothing_to_keep_and_says_so";
    let name = format!("keep::{module}::{test}");
    let said = keeping(playing(&name, "test"), "1");
    assert!(
        said.contains("nothing of test `shop::fails` is kept"),
        "{said}"
    );
    assert!(said.contains("GREEN_LIGHT_ISOLATION=database"), "{said}");
}

macro_rules! on {
    ($($module:ident, $backend:ident, $($name:ident),+;)+) => {$(
        mod $module {
            use green_light_fixtures::Backend;
            $(
                #[test]
                fn $name() {
                    super::$name(stringify!($module), Backend::$backend);
                }
            )+
        }
    )+};
}

on! {
    sqlite, Sqlite, the_shared_database_is_kept_and_the_next_test_has_another,
        a_transaction_leaves_nothing_to_keep_and_says_so;
    postgres, Postgres, the_shared_database_is_kept_and_the_next_test_has_another,
        a_transaction_leaves_nothing_to_keep_and_says_so;
    mysql, MySql, the_shared_database_is_kept_and_the_next_test_has_another,
        a_transaction_leaves_nothing_to_keep_and_says_so;
}

#[test]
fn a_limit_that_is_no_number_is_refused() {
    if part().is_some() {
        return run(async {
            let error = Engine::builder().build().await.unwrap_err();
            assert!(error.is_configuration());
            assert!(
                error.to_string().contains("`GREEN_LIGHT_KEEP=yes`"),
                "{error}"
            );
        });
    }
    let name = "keep::a_limit_that_is_no_number_is_refused";
    keeping(playing(name, "test"), "yes");
}
