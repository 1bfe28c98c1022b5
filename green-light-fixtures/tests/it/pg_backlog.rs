//! A process that makes databases faster than they can be dropped waits, says so, and gives up in time.

use std::{
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{
    children::{LONG, output, part},
    role::Role,
    support::run,
};

/// As many databases may wait to be dropped, and some more are ready or being made.
const MOST: usize = 32 + 16;
/// So many tests, one after the other.
const TESTS: usize = 80;
const SQL: &str = "CREATE TABLE backlog (x int)";

/// Tests that have a database of their own each, and how far they came.
async fn tests(number: usize) -> String {
    let engine = Engine::builder()
        .backend(Backend::Postgres)
        .schema(Schema::sql(SQL))
        .build()
        .await
        .unwrap();
    for number in 0..number {
        match engine.session(Isolation::Database).await {
            Ok(session) => session.finish().await.unwrap(),
            Err(error) => return format!("gave up at {number}: {error:?}"),
        }
    }
    "all done".to_owned()
}

async fn count(role: &Role) -> usize {
    let names = role.databases().await;
    names.iter().filter(|n| n.starts_with("gl_d_")).count()
}

async fn maintenance(role: &Role) -> PgConnection {
    let url = role.server_of(&format!("green_light_{}", role.name));
    let started = Instant::now();
    loop {
        match PgConnection::connect(&url).await {
            Ok(connection) => return connection,
            Err(error) => assert!(started.elapsed() < LONG, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_process_waits_while_too_many_of_its_databases_are_not_dropped() {
    if let Some(part) = part() {
        println!("{}", run(tests(if part == "first" { 1 } else { TESTS })));
        return;
    }
    let role = run(Role::new());
    let test = "pg_backlog::a_process_waits_while_too_many_of_its_databases_are_not_dropped";
    // Makes the maintenance database, so that the janitor's lock can be held from the beginning.
    let mut first = role.playing(test, "first");
    let mut most = run(async {
        output(first.spawn().unwrap());
        count(&role).await
    });
    let mut keeper = run(maintenance(&role));
    run(async {
        let lock = "SELECT pg_advisory_lock(x'676c0002'::int, 0)";
        keeper.execute(lock).await.unwrap();
    });
    let mut child = role.playing(test, "tests").spawn().unwrap();
    let (started, mut last, mut since) = (Instant::now(), 0, Instant::now());
    // Until it has waited for longer than it waits without a word.
    while (last == 0 || since.elapsed() < Duration::from_secs(8)) && started.elapsed() < LONG {
        let number = run(count(&role));
        if number != last {
            (last, since) = (number, Instant::now());
        }
        most = most.max(number);
        thread::sleep(Duration::from_millis(50));
    }
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    run(async { keeper.close().await.unwrap() });
    let output = output(child);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("all done"), "{said}{told}");
    assert!(
        told.contains("databases of this process wait to be dropped"),
        "{told}"
    );
    assert!(
        told.contains("another process is dropping databases"),
        "{told}"
    );
    assert!(most <= MOST, "{most} databases at once");
    run(role.drop());
}

#[test]
fn a_process_whose_databases_cannot_be_dropped_says_why_and_gives_up() {
    if part().is_some() {
        println!("{}", run(tests(TESTS)));
        return;
    }
    let role = run(Role::new());
    let test = "pg_backlog::a_process_whose_databases_cannot_be_dropped_says_why_and_gives_up";
    let mut child = role.playing(test, "tests").spawn().unwrap();
    let started = Instant::now();
    let mut keeper = run(maintenance(&role));
    // Somebody else's databases are not the role's to drop.
    let had = "SELECT d.datname::text FROM green_light.database r JOIN pg_database d ON d.oid = r.oid \
               WHERE r.state IN ('taken', 'done') AND d.datdba = $1::regrole";
    while child.try_wait().unwrap().is_none() && started.elapsed() < LONG {
        run(async {
            let names = sqlx::query_scalar(had).bind(&role.name);
            let names: Vec<String> = names.fetch_all(&mut keeper).await.unwrap_or_default();
            for name in names {
                let take = format!("ALTER DATABASE \"{name}\" OWNER TO postgres");
                let _ = keeper.execute(AssertSqlSafe(take)).await;
            }
        });
    }
    let output = output(child);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for part in [
        "gave up at ",
        "databases of this process could not be dropped",
        "must be owner of database",
        "\n  help: ",
    ] {
        assert!(said.contains(part), "{part} is missing: {said}");
    }
    assert!(!said.contains("secret"), "{said}");
    run(async {
        keeper.close().await.unwrap();
        let mut admin = role.admin().await;
        let mark = format!("see green_light_{}]", role.name);
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT datname::text FROM pg_database \
             WHERE position($1 IN coalesce(shobj_description(oid, 'pg_database'), '')) > 0 \
             AND NOT datistemplate",
        )
        .bind(mark)
        .fetch_all(&mut admin)
        .await
        .unwrap();
        assert!(names.len() <= MOST, "{} databases", names.len());
        for name in names {
            let drop = format!("DROP DATABASE \"{name}\" WITH (FORCE)");
            admin.execute(AssertSqlSafe(drop)).await.unwrap();
        }
        admin.close().await.unwrap();
        role.drop().await;
    });
}
