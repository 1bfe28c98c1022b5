//! The last statement of a test: its connection may still be on its way back when the test ends.

use std::time::Duration;

use futures::TryStreamExt;
use green_light_fixtures::Backend;
use sea_orm::{ConnectionTrait, Statement, StreamTrait};

use crate::support::{engine_on, expect_clean, finish, insert, run};

/// Between the last statement and the end of the test: none, or enough for the way back.
const PAUSES: [Duration; 2] = [Duration::ZERO, Duration::from_millis(50)];

async fn a_last_statement_that_fails_costs_the_next_test_nothing(backend: Backend) {
    let engine = engine_on(backend).await;
    for pause in PAUSES.repeat(3) {
        let test = engine.transaction().await.unwrap();
        insert(&test.connection(), "ann").await.unwrap();
        insert(&test.connection(), "seed").await.unwrap_err();
        tokio::time::sleep(pause).await;
        finish(test).await;
        expect_clean(&engine).await;
    }
    let stats = engine.stats();
    assert_eq!((stats.slots_opened, stats.slots_discarded), (1, 0));
}

async fn whoever_breaks_out_with_the_last_statement_is_named(backend: Backend) {
    let engine = engine_on(backend).await;
    for pause in PAUSES.repeat(3) {
        let test = engine.transaction_for("shop::guilty").await.unwrap();
        let session = test.session();
        insert(&session, "ann").await.unwrap();
        let _ = session.execute_unprepared("ROLLBACK").await;
        drop(session);
        tokio::time::sleep(pause).await;
        let error = test.finish().await.unwrap_err();
        assert!(error.is_breach(), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains("test `shop::guilty`") && text.contains("by: `ROLLBACK`"),
            "{text}"
        );
        expect_clean(&engine).await;
    }
}

#[test]
fn a_stream_that_fails_last_costs_the_next_test_nothing() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        for pause in PAUSES.repeat(3) {
            let test = engine.transaction().await.unwrap();
            let db = test.connection();
            insert(&db, "ann").await.unwrap();
            let sql = "SELECT 10 / (900 - n) FROM generate_series(1, 1000) n";
            let sql = Statement::from_string(Backend::Postgres.dialect(), sql);
            let rows = db.stream_raw(sql).await.unwrap();
            rows.try_collect::<Vec<_>>().await.unwrap_err();
            tokio::time::sleep(pause).await;
            drop(db);
            finish(test).await;
            expect_clean(&engine).await;
        }
        let stats = engine.stats();
        assert_eq!((stats.slots_opened, stats.slots_discarded), (1, 0));
    });
}

on_each_backend! {
    a_last_statement_that_fails_costs_the_next_test_nothing,
    whoever_breaks_out_with_the_last_statement_is_named,
}
