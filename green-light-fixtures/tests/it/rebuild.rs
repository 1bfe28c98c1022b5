//! Templates built anew although their schema looks the same: `GREEN_LIGHT_REBUILD=1`.

use std::process::Command;

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};

use crate::{
    checkout::Checkout,
    children::{part, playing, said, say},
    role::Role,
    support::{number, run},
};

/// A test whose seed writes as many rows as `ROWS` says, and whose key does not tell.
async fn one_test(backend: Backend, key: &str) {
    async fn seed(db: &DatabaseConnection) -> Result<(), DbErr> {
        let rows: usize = std::env::var("ROWS").unwrap().parse().unwrap();
        for _ in 0..rows {
            db.execute_unprepared("INSERT INTO seeded VALUES (1)")
                .await?;
        }
        Ok(())
    }
    let schema = Schema::sql("CREATE TABLE seeded (x INT)")
        .seed(seed)
        .key(key);
    let engine = Engine::builder().backend(backend).schema(schema).build();
    let engine = engine.await.unwrap();
    let mut rows = Vec::new();
    for isolation in [Isolation::Database, Isolation::Transaction] {
        let session = engine.session(isolation).await.unwrap();
        rows.push(number(&session, "SELECT count(*) FROM seeded").await);
        session.finish().await.unwrap();
    }
    let built = engine.stats().templates_built;
    say("rows", &format!("{}, {} built {built}.", rows[0], rows[1]));
}

/// Goes through runs with the same key, each a process that `playing` makes.
fn runs(playing: impl Fn() -> Command) {
    let rows = |rows: &str, rebuild: &str| {
        let mut command = playing();
        command
            .env("ROWS", rows)
            .env("GREEN_LIGHT_REBUILD", rebuild);
        said(command.spawn().unwrap())
    };
    let expect =
        |said: &str, rows: &str| assert!(said.contains(&format!("rows={rows}.")), "{said}");
    expect(&rows("1", ""), "1, 1 built 1");
    expect(&rows("2", "0"), "1, 1 built 0");
    expect(&rows("2", "1"), "2, 2 built 1");
    expect(&rows("3", ""), "2, 2 built 0");
    // The processes of nextest are one run, in which it is built once more.
    let processes: Vec<_> = (0..6)
        .map(|_| {
            let mut command = playing();
            command
                .env("ROWS", "4")
                .env("GREEN_LIGHT_REBUILD", "1")
                .env("NEXTEST", "1")
                .env("NEXTEST_RUN_ID", "3f0c1a52-5e4b-4b8e-9d0f-2f1f6f6f6f6f");
            command.spawn().unwrap()
        })
        .collect();
    let told: Vec<_> = processes.into_iter().map(said).collect();
    told.iter()
        .for_each(|told| assert!(told.contains("rows=4, 4 "), "{told}"));
    assert_eq!(
        told.iter().filter(|told| told.contains("built 1.")).count(),
        1
    );
}

#[test]
fn a_template_is_built_anew_on_request_and_once_in_a_run() {
    if part().is_some() {
        return run(one_test(Backend::Postgres, "the same"));
    }
    let test = "rebuild::a_template_is_built_anew_on_request_and_once_in_a_run";
    let role = run(Role::new());
    runs(|| role.playing(test, "test"));
    run(role.drop());
}

#[test]
fn a_template_on_mysql_is_built_anew_on_request_and_once_in_a_run() {
    if let Some(key) = part() {
        return run(one_test(Backend::MySql, &key));
    }
    let test = "rebuild::a_template_on_mysql_is_built_anew_on_request_and_once_in_a_run";
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let key = format!("{}_{now}", std::process::id());
    runs(|| playing(test, &key));
}

#[test]
fn an_image_of_sqlite_is_built_anew_on_request_and_once_in_a_run() {
    if part().is_some() {
        return run(one_test(Backend::Sqlite, "the same"));
    }
    let test = "rebuild::an_image_of_sqlite_is_built_anew_on_request_and_once_in_a_run";
    let checkout = Checkout::new();
    runs(|| checkout.playing(test, "test"));
}

#[test]
fn a_wish_that_is_not_understood_is_refused() {
    if part().is_some() {
        return run(async {
            let engine = Engine::builder().backend(Backend::Postgres).build().await;
            say("error", &engine.unwrap_err().to_string());
        });
    }
    let test = "rebuild::a_wish_that_is_not_understood_is_refused";
    let mut command = playing(test, "test");
    let said = said(command.env("GREEN_LIGHT_REBUILD", "yes").spawn().unwrap());
    assert!(
        said.contains("error=`GREEN_LIGHT_REBUILD=yes` is not understood"),
        "{said}"
    );
    assert!(said.contains("help: write `1`"), "{said}");
}
