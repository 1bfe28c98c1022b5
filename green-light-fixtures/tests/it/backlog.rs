//! A process that makes databases faster than they can be dropped waits, says so, and gives up in time.

use std::{
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Isolation};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::{
    children::{LONG, output, part, say},
    own_server::OwnServer,
    role::Role,
    support::{On, run},
};

on_each_server!(a_process_waits_while_too_many_of_its_databases_are_not_dropped);

/// As many databases may wait to be dropped, and some more are ready or being made.
const MOST: usize = 32 + 16;
/// So many tests, one after the other.
const TESTS: usize = 80;

/// Tests that have a database of their own each, and how far they came.
async fn tests(on: On, number: usize) -> String {
    let engine = on.engine("CREATE TABLE backlog (x INT)").await;
    for number in 0..number {
        match engine.session(Isolation::Database).await {
            Ok(session) => session.finish().await.unwrap(),
            Err(error) => return format!("gave up at {number}: {error:?}"),
        }
    }
    "all done".to_owned()
}

fn a_process_waits_while_too_many_of_its_databases_are_not_dropped(on: On) {
    if let Some(part) = part() {
        let number = if part == "first" { 1 } else { TESTS };
        say("tests", &run(tests(on, number)));
        return;
    }
    let server = OwnServer::start(on);
    // Makes the list of databases, so that they can be kept from the beginning.
    server.said("first");
    let count = || {
        let names = server.databases();
        names.iter().filter(|n| n.starts_with("gl_d_")).count()
    };
    let reaper = server.stop_reapers();
    let mut child = server.playing("tests").spawn().unwrap();
    let (started, mut last, mut since, mut most) = (Instant::now(), 0, Instant::now(), count());
    // Until it has waited for longer than it waits without a word.
    while (last < 32 || since.elapsed() < Duration::from_secs(8)) && started.elapsed() < LONG {
        let number = count();
        if number != last {
            (last, since) = (number, Instant::now());
        }
        most = most.max(number);
        thread::sleep(Duration::from_millis(50));
    }
    assert!(child.try_wait().unwrap().is_none(), "it waits");
    run(reaper.close()).unwrap();
    let output = output(child);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("all done"), "{said}{told}");
    for part in [
        "databases of this process wait to be dropped",
        "another process is dropping databases",
    ] {
        assert!(told.contains(part), "{part} is missing: {told}");
    }
    assert!(most <= MOST, "{most} databases at once");
    server.end();
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
fn a_process_whose_databases_cannot_be_dropped_says_why_and_gives_up() {
    let on = On {
        backend: Backend::Postgres,
        test: "backlog::a_process_whose_databases_cannot_be_dropped_says_why_and_gives_up",
    };
    if part().is_some() {
        say("tests", &run(tests(on, TESTS)));
        return;
    }
    let role = run(Role::new());
    let mut child = role.playing(on.test, "tests").spawn().unwrap();
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
