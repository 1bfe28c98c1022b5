//! What becomes of PostgreSQL's databases when their tests have ended: those of the sandbox go to the next
//! process, others are dropped later, and neither are ever many.

use std::{
    thread,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Session};
use sea_orm::ConnectionTrait;
use sqlx::{Connection, PgConnection};

use crate::{
    children::{LONG, Partner, part, said, say, value, wait_for_a_line},
    role::Role,
    support::{insert, number, run, schema_on, text},
};

fn of(test: &str) -> String {
    format!("pg_back::{test}")
}

async fn engine() -> Engine {
    Engine::builder()
        .backend(Backend::Postgres)
        .schema(schema_on(Backend::Postgres))
        .build()
        .await
        .unwrap()
}

async fn database(session: &Session) -> String {
    text(&**session, "SELECT current_database()::text").await
}

/// Rows of the registry, as text.
async fn registry(role: &Role, sql: &str) -> Vec<String> {
    let rows = role.registry::<(String,)>(sql).await;
    rows.into_iter().map(|(text,)| text).collect()
}

async fn state_of(role: &Role, name: &str) -> Vec<String> {
    let state = format!(
        "SELECT concat_ws(' ', state, owner, test) FROM green_light.database WHERE name = '{name}'"
    );
    registry(role, &state).await
}

#[test]
fn a_database_of_the_sandbox_goes_to_the_next_process() {
    if part().is_some() {
        return run(async {
            let engine = engine().await;
            let session = engine.session(Isolation::Transaction).await.unwrap();
            insert(&*session, "once").await.unwrap();
            say("database", &database(&session).await);
            say(
                "id",
                &number(&*session, "SELECT max(id) FROM u").await.to_string(),
            );
            session.finish().await.unwrap();
        });
    }
    let role = run(Role::new());
    let test = of("a_database_of_the_sandbox_goes_to_the_next_process");
    let one = |nextest: bool| {
        let mut command = role.playing(&test, "one");
        if nextest {
            command.env("NEXTEST", "1");
        }
        said(command.spawn().unwrap())
    };
    let first = one(true);
    assert_eq!(value(&first, "id"), "2");
    let given = value(&first, "database");
    assert_eq!(run(state_of(&role, &given)), ["free"]);
    one(true);
    let before = run(role.databases());
    let mut later: Vec<_> = (0..4).map(|n| one(n % 2 == 0)).collect();
    assert_eq!(
        run(role.databases()),
        before,
        "something was made or dropped"
    );
    // Its sequences are where the template has them, however often it was used.
    later.retain(|said| {
        assert_eq!(value(said, "id"), "2");
        value(said, "database") == given
    });
    assert!(!later.is_empty(), "nobody got {given}");
    run(role.drop());
}

#[test]
fn a_database_that_was_breached_or_told_of_does_not_go_back() {
    if let Some(part) = part() {
        return run(async {
            let engine = engine().await;
            let session = engine.session(Isolation::Transaction).await.unwrap();
            insert(&*session, "once").await.unwrap();
            say("database", &database(&session).await);
            match part.as_str() {
                "told" => assert!(!session.url().expose().is_empty()),
                text => drop(session.execute_unprepared(text).await),
            }
            let ended = session.finish().await;
            let is_breach = part != "told";
            assert_eq!(ended.is_err(), is_breach, "{part}: {ended:?}");
        });
    }
    let role = run(Role::new());
    let test = of("a_database_that_was_breached_or_told_of_does_not_go_back");
    for part in ["COMMIT", "ROLLBACK", "told"] {
        let said = said(role.playing(&test, part).spawn().unwrap());
        let name = value(&said, "database");
        let state = run(state_of(&role, &name));
        assert!(!state.contains(&"free".to_owned()), "{part}: {state:?}");
        assert!(!run(role.databases()).contains(&name), "{part}: {name}");
    }
    run(role.drop());
}

#[test]
fn what_tests_leave_is_dropped_later_and_by_one_janitor_at_a_time() {
    const TESTS: usize = 12;
    if part().is_some() {
        return run(async {
            let engine = engine().await;
            for _ in 0..TESTS {
                let session = engine.session(Isolation::Database).await.unwrap();
                insert(&*session, "once").await.unwrap();
                session.finish().await.unwrap();
            }
            say("ended", "yes");
            wait_for_a_line();
        });
    }
    let role = run(Role::new());
    let test = of("what_tests_leave_is_dropped_later_and_by_one_janitor_at_a_time");
    said(role.playing(&test, "whole").spawn().unwrap());
    let done = "SELECT name FROM green_light.database JOIN pg_database ON datname = name \
                WHERE state = 'done'";
    // Another process is the janitor: everything goes on, and nothing is dropped.
    let mut janitor = run(PgConnection::connect(&role.maintenance())).unwrap();
    let lock = sqlx::query("SELECT pg_advisory_lock(1735131138, 0)");
    run(lock.execute(&mut janitor)).unwrap();
    let mut tests = Partner::start(&mut role.playing(&test, "whole"));
    tests.hear("ended");
    let begun = Instant::now();
    while run(registry(&role, done)).len() < TESTS {
        assert!(begun.elapsed() < LONG, "they are not entered as done with");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(run(registry(&role, done)).len(), TESTS);
    run(janitor.close()).unwrap();
    tests.tell("end");
    tests.end();
    assert_eq!(run(registry(&role, done)), Vec::<String>::new());
    run(role.drop());
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

/// How many databases of each template are in one of `states`.
async fn stock(role: &Role, states: &str) -> Vec<usize> {
    let stock = format!(
        "SELECT count(*)::text FROM green_light.database WHERE state IN ({states}) GROUP BY template"
    );
    let stock = registry(role, &stock).await;
    stock.iter().map(|count| count.parse().unwrap()).collect()
}

fn limit() -> usize {
    let parallel = thread::available_parallelism().map_or(2, usize::from);
    parallel.clamp(2, 8) + 2
}

#[test]
fn the_stock_has_a_limit_whatever_tests_leave() {
    if let Some(part) = part() {
        return fill(&part, 14);
    }
    let role = run(Role::new());
    let test = of("the_stock_has_a_limit_whatever_tests_leave");
    for _ in 0..2 {
        for isolation in ["transaction", "database"] {
            said(role.playing(&test, isolation).spawn().unwrap());
        }
        let stock = run(stock(&role, "'free', 'making', 'taken', 'done'"));
        assert!(stock.iter().all(|count| *count <= limit()), "{stock:?}");
        // With the two templates, that is all there is.
        let most = 2 + 2 * limit();
        let names = run(role.databases());
        assert!(names.len() <= most, "{names:?}");
    }
    run(role.drop());
}

/// Who gives a database back looks whether there is room, and the janitor whether others came at the same
/// moment.
#[test]
fn the_stock_is_limited_on_the_way_back_and_by_the_janitor() {
    if let Some(part) = part() {
        return fill(&part, 14);
    }
    let role = run(Role::new());
    let test = of("the_stock_is_limited_on_the_way_back_and_by_the_janitor");
    said(role.playing(&test, "one").spawn().unwrap());
    // The janitor is another process, which drops nothing.
    let mut janitor = run(PgConnection::connect(&role.maintenance())).unwrap();
    let lock = sqlx::query("SELECT pg_advisory_lock(1735131138, 0)");
    run(lock.execute(&mut janitor)).unwrap();
    let mut many = role.playing(&test, "transaction");
    said(many.env("NEXTEST", "1").spawn().unwrap());
    let back = run(stock(&role, "'free'"));
    assert!(back.iter().all(|count| *count <= limit()), "{back:?}");
    let all_back = "UPDATE green_light.database SET state = 'free', owner = NULL, test = NULL \
                    WHERE state = 'done' AND template <> ''";
    run(sqlx::query(all_back).execute(&mut janitor)).unwrap();
    let back = run(stock(&role, "'free'"));
    assert!(back.iter().max() > Some(&limit()), "{back:?}");
    run(janitor.close()).unwrap();
    said(role.playing(&test, "one").spawn().unwrap());
    let back = run(stock(&role, "'free'"));
    assert!(back.iter().all(|count| *count <= limit()), "{back:?}");
    run(role.drop());
}

#[test]
fn templates_that_nobody_uses_go_and_one_in_use_stays() {
    let schema = |part: &str| format!("CREATE TABLE only_{part} (x int)");
    let engine_of = async |part: &str| {
        Engine::builder()
            .backend(Backend::Postgres)
            .schema(green_light_fixtures::Schema::sql(schema(part)))
            .build()
            .await
            .unwrap()
    };
    let use_it = async |engine: &Engine| {
        let session = engine.session(Isolation::Database).await.unwrap();
        session.finish().await.unwrap();
    };
    match part().as_deref() {
        Some("old") => {
            return run(async {
                let engine = engine_of("old").await;
                println!("ready=yes");
                // Neither its template nor a database of it is touched meanwhile.
                assert!(wait_for_a_line());
                let session = engine.session(Isolation::Database).await.unwrap();
                assert_eq!(number(&*session, "SELECT count(*) FROM only_old").await, 0);
                session.finish().await.unwrap();
            });
        }
        Some("fourteen") => {
            return run(async {
                for n in 0..14 {
                    use_it(&engine_of(&n.to_string()).await).await;
                }
            });
        }
        Some(other) => {
            return run(async {
                let engine = engine_of(other).await;
                use_it(&engine).await;
                println!("built={}", engine.stats().templates_built);
            });
        }
        None => {}
    }
    let role = run(Role::new());
    let test = of("templates_that_nobody_uses_go_and_one_in_use_stays");
    // It finds its template, which is the way of most processes.
    said(role.playing(&test, "old").stdin(go_on()).spawn().unwrap());
    let mut user = Partner::start(&mut role.playing(&test, "old"));
    user.hear("ready");
    said(role.playing(&test, "fourteen").spawn().unwrap());
    // Nobody has used any of them for hours, but for the process that lives. Their order stays.
    run(async {
        let mut maintenance = PgConnection::connect(&role.maintenance()).await.unwrap();
        sqlx::query("UPDATE green_light.template SET used = used - interval '2 hours'")
            .execute(&mut maintenance)
            .await
            .unwrap();
        maintenance.close().await.unwrap();
    });
    let listed = "SELECT name FROM green_light.template ORDER BY used";
    let before = run(registry(&role, listed));
    assert_eq!(before.len(), 15, "{before:?}");
    for _ in 0..10 {
        said(role.playing(&test, "next").spawn().unwrap());
        if !run(role.databases()).contains(&before[3]) {
            break;
        }
    }
    let names = run(role.databases());
    // Twelve are kept, the new one is one of them; so is the one that a living process uses.
    let gone: Vec<_> = before.iter().map(|name| !names.contains(name)).collect();
    let mut expected = [false; 15];
    expected[1..4].fill(true);
    assert_eq!(gone, expected, "{before:?}\n{names:?}");
    assert_eq!(run(registry(&role, listed)).len(), 13);
    user.tell("go on");
    user.end();
    // What is gone is built again, what is there is found.
    assert!(said(role.playing(&test, "0").spawn().unwrap()).contains("built=1"));
    assert!(said(role.playing(&test, "13").spawn().unwrap()).contains("built=0"));
    run(role.drop());
}

/// A line to read.
fn go_on() -> std::process::Stdio {
    use std::io::Write as _;
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"go on\n").unwrap();
    reader.into()
}
