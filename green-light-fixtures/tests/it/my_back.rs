//! What becomes of MySQL's databases when their tests have ended: those of the sandbox go to the sandbox of
//! the next process, and are never many.

use std::thread;

use green_light_fixtures::{Backend, Engine, Isolation};
use sea_orm::{ConnectionTrait, Statement};
use sqlx::{Connection, Executor};

use crate::{
    children::{part, said, say, value},
    my_server::MyServer,
    support::{insert, number, run, schema_on},
};

fn of(test: &str) -> String {
    format!("my_back::{test}")
}

async fn engine() -> Engine {
    Engine::builder()
        .backend(Backend::MySql)
        .schema(schema_on(Backend::MySql))
        .build()
        .await
        .unwrap()
}

/// Inserts a row, and says where and with which id.
async fn one_row(db: &impl ConnectionTrait) {
    insert(db, "once").await.unwrap();
    let sql = "SELECT database()";
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
        .unwrap();
    let name: String = row.unwrap().try_get_by_index(0).unwrap();
    say("database", &name);
    let id = number(db, "SELECT max(id) FROM u").await;
    say("id", &id.to_string());
}

async fn state_of(server: &MyServer, name: &str) -> Vec<String> {
    let state = format!(
        "SELECT concat_ws(' ', state, run) FROM green_light.test_databases WHERE name = '{name}'"
    );
    server.names(&state).await
}

#[test]
fn a_database_of_the_sandbox_goes_to_the_next_process_on_mysql() {
    if let Some(part) = part() {
        return run(async {
            let session = engine().await.session(part.parse().unwrap()).await.unwrap();
            one_row(&*session).await;
            session.finish().await.unwrap();
        });
    }
    let server = MyServer::start(50);
    let test = of("a_database_of_the_sandbox_goes_to_the_next_process_on_mysql");
    let one = |isolation: &str, nextest: bool| {
        let mut command = server.playing(&test, isolation);
        if nextest {
            command.env("NEXTEST", "1");
        }
        said(command.spawn().unwrap())
    };
    let first = one("transaction", true);
    let (given, id) = (value(&first, "database"), value(&first, "id"));
    assert_eq!(run(state_of(&server, &given)), ["used"]);
    // Another one is made beside it, so that there is one when it is taken.
    let alike = format!(
        "SELECT a.name FROM green_light.test_databases a JOIN green_light.test_databases g \
         ON g.digest = a.digest WHERE g.name = '{given}' ORDER BY 1"
    );
    let made = (0..20).any(|_| {
        one("transaction", true);
        run(server.names(&alike)).len() >= 2
    });
    assert!(made, "no other one is made");
    let before = run(server.names(&alike));
    for nextest in [true, false, true] {
        let next = one("transaction", nextest);
        assert_eq!(value(&next, "database"), given);
        // Where the template has it, however often it was used.
        assert_eq!(value(&next, "id"), id);
    }
    assert_eq!(
        run(server.names(&alike)),
        before,
        "something was made or dropped"
    );
    // Who may commit gets one that nobody had before.
    let own = one("database", true);
    assert_ne!(value(&own, "database"), given);
    assert_eq!(value(&own, "id"), id);
    assert_eq!(run(state_of(&server, &given)), ["used"]);
    server.end();
}

#[test]
fn a_database_that_was_breached_or_told_of_does_not_go_back_on_mysql() {
    if let Some(part) = part() {
        return run(async {
            let engine = engine().await;
            let session = engine.session(Isolation::Transaction).await.unwrap();
            one_row(&*session).await;
            match part.as_str() {
                "told" => assert!(!session.url().expose().is_empty()),
                text => drop(session.execute_unprepared(text).await),
            }
            let ended = session.finish().await;
            let is_breach = part != "told";
            assert_eq!(ended.is_err(), is_breach, "{part}: {ended:?}");
        });
    }
    let server = MyServer::start(50);
    let test = of("a_database_that_was_breached_or_told_of_does_not_go_back_on_mysql");
    for part in ["COMMIT", "CREATE TABLE more (x INT)", "told"] {
        let said = said(server.playing(&test, part).spawn().unwrap());
        let name = value(&said, "database");
        let state = run(state_of(&server, &name));
        assert!(
            state.is_empty() || state[0].starts_with("done"),
            "{part}: {state:?}"
        );
        let names = run(server.databases());
        assert!(!names.contains(&name), "{part}: {name} is in {names:?}");
    }
    server.end();
}

/// Takes part in the tests of the stock's limit: `many` tests at once, or one.
fn fill(part: &str, many: usize) {
    run(async {
        let (isolation, tests) = match part {
            "one" => (Isolation::Transaction, 1),
            isolation => (isolation.parse().unwrap(), many),
        };
        let engine = engine().await;
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

/// How many databases are in one of `states`, for each template.
async fn stock(server: &MyServer, states: &str) -> Vec<usize> {
    let stock = format!(
        "SELECT cast(count(*) AS CHAR) FROM green_light.test_databases \
         WHERE state IN ({states}) GROUP BY digest"
    );
    let stock = server.names(&stock).await;
    stock.iter().map(|count| count.parse().unwrap()).collect()
}

fn limit() -> usize {
    let parallel = thread::available_parallelism().map_or(2, usize::from);
    parallel.clamp(2, 8) + 2
}

#[test]
fn the_stock_on_mysql_has_a_limit_whatever_tests_leave() {
    if let Some(part) = part() {
        return fill(&part, 14);
    }
    let server = MyServer::start(150);
    let test = of("the_stock_on_mysql_has_a_limit_whatever_tests_leave");
    let states = ["'free'", "'used'", "'ahead', 'making'", "'done'"];
    for _ in 0..2 {
        for isolation in ["transaction", "database"] {
            said(server.playing(&test, isolation).spawn().unwrap());
        }
        for state in states {
            let stock = run(stock(&server, state));
            assert!(stock.iter().all(|count| *count <= limit()), "{stock:?}");
        }
    }
    server.end();
}

/// Who gives a database back looks whether there is room, and the janitor whether others came at the same
/// moment.
#[test]
fn the_stock_on_mysql_is_limited_on_the_way_back_and_by_the_janitor() {
    if let Some(part) = part() {
        return fill(&part, 14);
    }
    let server = MyServer::start(150);
    let test = of("the_stock_on_mysql_is_limited_on_the_way_back_and_by_the_janitor");
    // The janitor is another process, which drops nothing.
    let mut janitor = run(server.admin());
    let lock = "SELECT GET_LOCK('green_light.janitor', 60)";
    run(janitor.execute(lock)).unwrap();
    let mut many = server.playing(&test, "transaction");
    said(many.env("NEXTEST", "1").spawn().unwrap());
    let back = run(stock(&server, "'used', 'free'"));
    assert!(back.iter().all(|count| *count <= limit()), "{back:?}");
    let all_back = "UPDATE green_light.test_databases SET state = 'used', run = NULL \
                    WHERE state = 'done' AND digest <> ''";
    run(janitor.execute(all_back)).unwrap();
    let back = run(stock(&server, "'used'"));
    assert!(back.iter().max() > Some(&limit()), "{back:?}");
    run(janitor.close()).unwrap();
    said(server.playing(&test, "one").spawn().unwrap());
    let back = run(stock(&server, "'used'"));
    assert!(back.iter().all(|count| *count <= limit()), "{back:?}");
    server.end();
}
