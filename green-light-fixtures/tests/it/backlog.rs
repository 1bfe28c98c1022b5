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

on_each_server!(
    a_process_waits_while_too_many_of_its_databases_are_not_dropped,
    a_run_ends_before_its_databases_are_dropped_and_the_next_runs_drop_them,
);

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

/// What a run leaves: databases that tests have committed to, and those of slots that were in use at once.
async fn leave_many(on: On) {
    let engine = on.engine("CREATE TABLE backlog (x INT)").await;
    for _ in 0..LEFT {
        let session = engine.session(Isolation::Database).await.unwrap();
        session.finish().await.unwrap();
    }
    let mut tests = Vec::new();
    for _ in 0..SLOTS {
        tests.push(engine.transaction().await.unwrap());
    }
    for test in tests {
        test.finish().await.unwrap();
    }
}

/// How many databases a process may leave before it has to wait, and some fewer.
const LEFT: usize = 28;
/// How many tests have a database of their own at once.
const SLOTS: usize = 20;

/// No time is measured: a process that ends while nothing can be dropped has not waited for that.
fn a_run_ends_before_its_databases_are_dropped_and_the_next_runs_drop_them(on: On) {
    if let Some(part) = part() {
        match &*part {
            "many" => run(leave_many(on)),
            _ => say("tests", &run(tests(on, 1))),
        }
        return;
    }
    let server = OwnServer::alone(on);
    server.said("first");
    let count = || {
        let names = server.databases();
        names.iter().filter(|n| n.starts_with("gl_d_")).count()
    };
    let reaper = server.stop_reapers();
    let output = output(server.playing("many").spawn().unwrap());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let left = count();
    assert!(left >= LEFT, "{left} databases");
    for part in [
        "dropping the databases of this process on ",
        "are not dropped yet; the next run does that",
    ] {
        assert!(told.contains(part), "{part} is missing: {told}");
    }
    assert!(!told.contains("secret"), "{told}");
    run(reaper.close()).unwrap();
    // Each run drops for as long as its own end may take.
    let started = Instant::now();
    let mut now = left;
    while now > KEPT && started.elapsed() < LONG {
        server.said("next");
        now = count();
    }
    assert!(now <= KEPT, "{now} of {left} databases");
    server.end();
}

/// How many databases stay ready for the next run.
const KEPT: usize = 10;

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
