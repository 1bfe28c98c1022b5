//! One connection on which nothing is answered any more, of a server that is well: the test that has it ends
//! in time, and the next one has another. And a server that falls silent when it is told to end what a test
//! has left.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::{ConnectionTrait, TransactionTrait as _};

use crate::{
    children::{LONG, part},
    proxied::Proxied,
    proxy::{At, Proxy, When},
    support::{On, number, run},
};

on_each_server!(
    a_test_whose_connection_is_lost_ends_in_time,
    a_server_that_falls_silent_while_a_test_is_ended_holds_up_nobody,
);

const ON_THE_WAY_BACK: At = At::Text("INSERT INTO one VALUES (8)");

/// Loses its connection on the way back to the pool, and has another one soon.
async fn loses_one() {
    let engine = Engine::builder()
        .backend(Backend::MySql)
        .schema(Schema::sql("CREATE TABLE one (x INT)"))
        .connection_timeout(Duration::from_secs(1))
        .build()
        .await
        .unwrap();
    let session = engine.session(Isolation::Transaction).await.unwrap();
    let insert = "INSERT INTO one VALUES (8)";
    session.execute_unprepared(insert).await.unwrap();
    let begun = Instant::now();
    while let Err(error) = session.execute_unprepared("SELECT 1").await {
        assert!(begun.elapsed() < LONG, "{error}");
    }
    let error = session.finish().await.unwrap_err();
    assert!(error.to_string().contains("lost its connection"), "{error}");
    let next = engine.session(Isolation::Transaction).await.unwrap();
    assert_eq!(number(&next, "SELECT count(*) FROM one").await, 0);
    next.finish().await.unwrap();
}

#[test]
fn a_connection_to_mysql_that_is_lost_on_its_way_back_is_replaced() {
    let on = On {
        backend: Backend::MySql,
        test: "lost::a_connection_to_mysql_that_is_lost_on_its_way_back_is_replaced",
    };
    if part().is_some() {
        return run(loses_one());
    }
    let server = Proxied::start(on);
    server.once((ON_THE_WAY_BACK, When::Last), "loses one", expect_end);
    server.end();
}

/// Ends a test whose connection is not answered any more.
async fn ends_unanswered(backend: Backend) {
    let engine = Engine::builder()
        .backend(backend)
        .schema(Schema::sql("CREATE TABLE one (x INT)"))
        // What else could end the wait does so later.
        .connection_timeout(10 * LONG)
        .teardown_timeout(Duration::from_secs(3))
        .build()
        .await
        .unwrap();
    let session = engine.session(Isolation::Transaction).await.unwrap();
    let insert = "INSERT INTO one VALUES (8)";
    session.execute_unprepared(insert).await.unwrap();
    let begun = Instant::now();
    let error = session.finish().await.unwrap_err();
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    let expected = "its connection was still in use 3.0 s later";
    assert!(error.to_string().contains(expected), "{error}");
    let next = engine.session(Isolation::Transaction).await.unwrap();
    assert_eq!(number(&next, "SELECT count(*) FROM one").await, 0);
    next.finish().await.unwrap();
}

fn expect_end(proxy: &Proxy, command: Command) {
    let (message, output) = proxy.run_in_silence(command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && message.is_some(),
        "{message:?}: {said}"
    );
}

fn a_test_whose_connection_is_lost_ends_in_time(on: On) {
    if part().is_some() {
        return run(ends_unanswered(on.backend));
    }
    let server = Proxied::start(on);
    server.once((ON_THE_WAY_BACK, When::Last), "ends", expect_end);
    server.end();
}

/// Ends a test that has left a transaction open, on a server that does not answer when that is to be ended.
async fn ends_held(backend: Backend) {
    let engine = Engine::builder()
        .backend(backend)
        .schema(Schema::sql("CREATE TABLE one (x INT)"))
        .teardown_timeout(Duration::from_secs(1))
        .build()
        .await
        .unwrap();
    let session = engine.session(Isolation::Transaction).await.unwrap();
    let left = session.connection().begin().await.unwrap();
    let begun = Instant::now();
    let error = session.finish().await.unwrap_err();
    assert!(begun.elapsed() < LONG / 4, "{:?}", begun.elapsed());
    let expected = "its connection was still in use 1.0 s later";
    assert!(error.to_string().contains(expected), "{error}");
    drop(left);
}

fn a_server_that_falls_silent_while_a_test_is_ended_holds_up_nobody(on: On) {
    if part().is_some() {
        return run(ends_held(on.backend));
    }
    let server = Proxied::start(on);
    let at = At::Text(match on.backend {
        Backend::Postgres => "SELECT count(pg_terminate_backend(pid))",
        _ => "SELECT id FROM information_schema.processlist",
    });
    server.once((at, When::Silent), "ends", |proxy, mut command| {
        command.env("GREEN_LIGHT_WAIT", "1");
        expect_end(proxy, command);
    });
    server.end();
}
