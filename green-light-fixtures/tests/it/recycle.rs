//! What becomes of databases when their tests have ended: those of the sandbox go to the sandbox of the next
//! process, others are dropped later, and neither are ever many.

use std::{
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation};
use sea_orm::ConnectionTrait;

use crate::{
    children::{LONG, Partner, part, said, say, value, wait_for_a_line},
    own_server::OwnServer,
    support::{On, insert, number, run, schema_on, text},
};

on_each_server!(
    a_database_of_the_sandbox_goes_to_the_next_process,
    a_database_that_was_breached_or_whose_url_was_read_does_not_go_back,
    what_tests_leave_is_dropped_later_and_by_one_process_at_a_time,
    the_number_of_databases_has_a_limit_whatever_tests_leave,
    that_limit_is_kept_when_databases_come_back_and_by_the_process_that_drops_them,
);

async fn engine(on: On) -> Engine {
    on.engine_of(schema_on(on.backend)).await
}

fn state_of(server: &OwnServer, on: On, name: &str) -> Vec<String> {
    let texts = on.texts();
    server.registered(&format!(
        "SELECT concat_ws(' ', state, {}) FROM {} WHERE name = '{name}'",
        texts.user.join(", "),
        texts.databases,
    ))
}

fn a_database_of_the_sandbox_goes_to_the_next_process(on: On) {
    if let Some(part) = part() {
        return run(async {
            let engine = engine(on).await;
            let session = engine.session(part.parse().unwrap()).await.unwrap();
            insert(&*session, "once").await.unwrap();
            let name = text(&*session, on.texts().current_database).await;
            say("database", &name);
            let id = number(&*session, "SELECT max(id) FROM u").await;
            say("id", &id.to_string());
            session.finish().await.unwrap();
        });
    }
    let server = OwnServer::start(on);
    let one = |isolation: &str, is_among_many: bool| {
        let mut command = match is_among_many {
            true => server.playing_among_many(isolation),
            false => server.playing(isolation),
        };
        said(command.spawn().unwrap())
    };
    let first = one("transaction", true);
    let (given, id) = (value(&first, "database"), value(&first, "id"));
    let texts = on.texts();
    assert_eq!(state_of(&server, on, &given), [texts.recycled]);
    // Another one is made beside it, so that there is one when it is taken.
    let alike = format!(
        "SELECT a.name FROM {0} a JOIN {0} g ON g.{1} = a.{1} WHERE g.name = '{given}' ORDER BY 1",
        texts.databases, texts.template,
    );
    let made = (0..20).any(|_| {
        one("transaction", true);
        server.registered(&alike).len() >= 2
    });
    assert!(made, "no other one is made");
    let before = server.registered(&alike);
    let mut later = Vec::new();
    for is_among_many in [true, false, true, false] {
        let next = one("transaction", is_among_many);
        // Where the template has it, however often it was used.
        assert_eq!(value(&next, "id"), id);
        later.push(value(&next, "database"));
    }
    assert_eq!(
        server.registered(&alike),
        before,
        "something was made or dropped"
    );
    assert!(later.contains(&given), "{given} is not in {later:?}");
    // Who may commit gets one that nobody had before.
    let own = one("database", true);
    assert!(!later.contains(&value(&own, "database")));
    assert_eq!(value(&own, "id"), id);
    assert_eq!(state_of(&server, on, &given), [texts.recycled]);
    server.end();
}

fn a_database_that_was_breached_or_whose_url_was_read_does_not_go_back(on: On) {
    if let Some(part) = part() {
        return run(async {
            let engine = engine(on).await;
            let session = engine.session(Isolation::Transaction).await.unwrap();
            insert(&*session, "once").await.unwrap();
            let name = text(&*session, on.texts().current_database).await;
            say("database", &name);
            match part.as_str() {
                "read" => assert!(!session.url().expose().is_empty()),
                sql => drop(session.execute_unprepared(sql).await),
            }
            let ended = session.finish().await;
            let is_breach = part != "read";
            assert_eq!(ended.is_err(), is_breach, "{part}: {ended:?}");
        });
    }
    let server = OwnServer::start(on);
    let breach = match on.backend {
        Backend::Postgres => "ROLLBACK",
        _ => "CREATE TABLE more (x INT)",
    };
    for part in ["COMMIT", breach, "read"] {
        let name = value(&server.said(part), "database");
        let state = state_of(&server, on, &name);
        assert!(
            state.iter().all(|state| state.starts_with("done")),
            "{part}: {state:?}"
        );
        let names = server.databases();
        assert!(!names.contains(&name), "{part}: {name} is in {names:?}");
    }
    server.end();
}

fn what_tests_leave_is_dropped_later_and_by_one_process_at_a_time(on: On) {
    const TESTS: usize = 12;
    if part().is_some() {
        return run(async {
            let engine = engine(on).await;
            for _ in 0..TESTS {
                let session = engine.session(Isolation::Database).await.unwrap();
                insert(&*session, "once").await.unwrap();
                session.finish().await.unwrap();
            }
            say("ended", "yes");
            wait_for_a_line();
        });
    }
    let server = OwnServer::start(on);
    server.said("whole");
    let texts = on.texts();
    let done = format!(
        "SELECT name FROM {} WHERE state = 'done' AND name IN ({})",
        texts.databases, texts.all_databases
    );
    let done = || server.registered(&done);
    // Another process drops: everything goes on, and nothing is dropped.
    let reaper = server.stop_reapers();
    let mut tests = Partner::start(&mut server.playing("whole"));
    tests.hear("ended");
    let begun = Instant::now();
    while done().len() < TESTS {
        assert!(begun.elapsed() < LONG, "they are not entered as done with");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(done().len(), TESTS);
    run(reaper.close()).unwrap();
    tests.tell("end");
    tests.end();
    assert_eq!(done(), Vec::<String>::new());
    server.end();
}

/// Takes part in the tests of the limit: many tests at once, or one.
fn fill(on: On, part: &str) {
    run(async {
        let (isolation, tests) = match part {
            "one" => (Isolation::Transaction, 1),
            isolation => (isolation.parse().unwrap(), 14),
        };
        let engine = engine(on).await;
        let mut sessions = Vec::new();
        for _ in 0..tests {
            let session = engine.session(isolation).await.unwrap();
            insert(&*session, "once").await.unwrap();
            sessions.push(session);
        }
        for session in sessions {
            session.finish().await.unwrap();
        }
    });
}

/// How many databases of each template are in one of `states`.
fn stock(server: &OwnServer, on: On, states: &str) -> Vec<i64> {
    let texts = on.texts();
    let stock = format!(
        "SELECT count(*) FROM {} WHERE state IN ({states}) GROUP BY {}",
        texts.databases, texts.template
    );
    run(async {
        let registry = server.registry().await;
        let stock = sea_orm::Statement::from_string(registry.get_database_backend(), stock);
        let rows = registry.query_all_raw(stock).await.unwrap();
        registry.close().await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect()
    })
}

fn limit() -> i64 {
    let parallel = thread::available_parallelism().map_or(2, usize::from);
    parallel.clamp(2, 8) as i64 + 2
}

fn the_number_of_databases_has_a_limit_whatever_tests_leave(on: On) {
    if let Some(part) = part() {
        return fill(on, &part);
    }
    let server = OwnServer::start(on);
    let states: &[&str] = match on.backend {
        Backend::Postgres => &["'free', 'making', 'taken', 'done'"],
        _ => &["'free'", "'used'", "'ahead', 'making'", "'done'"],
    };
    for _ in 0..2 {
        for isolation in ["transaction", "database"] {
            server.said(isolation);
        }
        for states in states {
            let stock = stock(&server, on, states);
            assert!(stock.iter().all(|count| *count <= limit()), "{stock:?}");
        }
        if on.backend == Backend::Postgres {
            // With the two templates, that is all there is.
            let names = server.databases();
            assert!(names.len() as i64 <= 2 + 2 * limit(), "{names:?}");
        }
    }
    server.end();
}

/// Who gives a database back looks whether there is room, and who drops databases looks whether others came at
/// the same moment.
fn that_limit_is_kept_when_databases_come_back_and_by_the_process_that_drops_them(on: On) {
    if let Some(part) = part() {
        return fill(on, &part);
    }
    let server = OwnServer::start(on);
    let texts = on.texts();
    let recycled = format!("'{}'", texts.recycled);
    server.said("one");
    let reaper = server.stop_reapers();
    let mut many = server.playing_among_many("transaction");
    said(many.spawn().unwrap());
    let back = stock(&server, on, &format!("'free', {recycled}"));
    assert!(back.iter().all(|count| *count <= limit()), "{back:?}");
    let nobody: Vec<_> = texts
        .user
        .iter()
        .map(|column| format!(", {column} = NULL"))
        .collect();
    let all_back = format!(
        "UPDATE {} SET state = {recycled}{} WHERE state = 'done' AND {} <> ''",
        texts.databases,
        nobody.concat(),
        texts.template
    );
    run(reaper.execute_unprepared(&all_back)).unwrap();
    let back = stock(&server, on, &recycled);
    assert!(back.iter().max() > Some(&limit()), "{back:?}");
    run(reaper.close()).unwrap();
    server.said("one");
    let back = stock(&server, on, &recycled);
    assert!(back.iter().all(|count| *count <= limit()), "{back:?}");
    server.end();
}
