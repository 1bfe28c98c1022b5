//! Futures that are dropped before they are done, at every point where they wait.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use sea_orm::{
    ConnectionTrait as _, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    TransactionTrait as _,
};

use super::{
    bank::{
        Refused, accounts, import, import_in, open, transfer, transfer_by_closure, transfer_in,
    },
    transactions::names,
};
use crate::support::number;

/// When a future is dropped.
#[derive(Clone, Copy, Debug)]
enum Dropped {
    /// As soon as it waits: its question is on its way.
    Waiting,
    /// When it could go on: the answer has come, and nobody reads it.
    Woken,
}

/// Lets a future wait `times` times, and drops it then.
async fn cancel<F: Future>(future: F, times: usize, dropped: Dropped) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut waited = 0;
    poll_fn(|context| {
        if waited > times {
            return Poll::Ready(None);
        }
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        waited += 1;
        match dropped {
            Dropped::Waiting if waited > times => Poll::Ready(None),
            _ => Poll::Pending,
        }
    })
    .await
}

/// Waits until what was cancelled is over: a connection does what it was told before it is given out.
///
/// Until then a commit whose future was dropped may still come.
async fn settle(db: &DatabaseConnection) {
    async fn all_of<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) {
        let mut all = Vec::new();
        for _ in 0..pool.options().get_max_connections() {
            all.push(pool.acquire().await.unwrap());
        }
    }
    match db.get_database_backend() {
        DbBackend::Postgres => all_of(db.get_postgres_connection_pool()).await,
        DbBackend::MySql => all_of(db.get_mysql_connection_pool()).await,
        _ => all_of(db.get_sqlite_connection_pool()).await,
    }
}

/// How many waits are tried.
const WAITS: usize = 24;

/// Cancels what `start` begins after one wait, two, three; `look` checks after each. How often it has
/// to wait depends on the machine, so some of them are done before.
async fn cancel_everywhere<F: Future>(
    db: &DatabaseConnection,
    start: impl AsyncFn() -> F,
    look: impl AsyncFn(bool, &str),
) {
    let mut cancelled = 0;
    // Some wait once only, so the first ones come again.
    for times in (0..WAITS).chain((0..24).map(|turn| turn % 3)) {
        for dropped in [Dropped::Waiting, Dropped::Woken] {
            let is_done = cancel(start().await, times, dropped).await.is_some();
            cancelled += usize::from(!is_done);
            look(is_done, &format!("{dropped:?} after {times}")).await;
        }
    }
    assert!(cancelled > 0, "it never waited");
    settle(db).await;
}

/// Whatever was cancelled, money is neither made nor lost, and what was done is booked.
///
/// Asked in one statement: what was cancelled while it committed may be committed at any moment.
async fn expect_balanced(db: &DatabaseConnection, at: &str) {
    let given = |name: &str| {
        format!(
            "(SELECT count(*) FROM account WHERE name = '{name}' AND balance - 10000 = \
             (SELECT coalesce(sum(amount), 0) FROM entry WHERE entry.account = account.id))"
        )
    };
    let sql = format!(
        "SELECT {} + {} + (SELECT count(*) FROM account WHERE name = 'house')",
        given("ann"),
        given("bob")
    );
    assert_eq!(number(db, &sql).await, 3, "{at}");
    let sql = "SELECT coalesce(sum(amount), 0) + count(*) % 2 FROM entry";
    let sql = match db.get_database_backend() {
        DbBackend::Sqlite => sql.to_owned(),
        DbBackend::Postgres => format!("SELECT ({sql})::bigint"),
        _ => format!("SELECT CAST(({sql}) AS SIGNED)"),
    };
    assert_eq!(number(db, &sql).await, 0, "{at}");
}

async fn ann_and_bob(db: &DatabaseConnection) -> [i64; 2] {
    [
        open(db, "ann", 10_000).await.unwrap(),
        open(db, "bob", 10_000).await.unwrap(),
    ]
}

async fn a_transfer_cancelled_anywhere_is_whole_or_not_at_all(db: &DatabaseConnection) {
    let [ann, bob] = ann_and_bob(db).await;
    let start = async || transfer_in(db.begin().await.unwrap(), ann, bob, 1);
    cancel_everywhere(db, start, async |_, at| expect_balanced(db, at).await).await;
}

async fn an_import_cancelled_anywhere_imports_all_or_nothing(db: &DatabaseConnection) {
    let start = async || import_in(db.begin().await.unwrap(), &["ann", "house", "bob"]);
    cancel_everywhere(db, start, async |is_done, at| {
        all_or_nothing(db, is_done, at).await;
    })
    .await;
}

async fn all_or_nothing(db: &DatabaseConnection, is_done: bool, at: &str) {
    let found = names(db).await;
    let is_whole = found == ["ann", "bob", "house"];
    assert!(
        is_whole || (found == ["house"] && !is_done),
        "{at}: {found:?}"
    );
    let others = "DELETE FROM account WHERE name <> 'house'";
    db.execute_unprepared(others).await.unwrap();
}

async fn a_query_cancelled_anywhere_does_not_disturb_the_next(db: &DatabaseConnection) {
    let look = async |_: bool, at: &str| {
        let found = names(db).await;
        assert!(
            found.len() <= 2 && found.last().unwrap() == "house",
            "{at}: {found:?}"
        );
        let others = "DELETE FROM account WHERE name <> 'house'";
        db.execute_unprepared(others).await.unwrap();
    };
    cancel_everywhere(db, async || open(db, "ann", 0), look).await;
    // The last one may have come after it was looked for.
    look(false, "in the end").await;
    let read = async |_: bool, at: &str| assert_eq!(names(db).await, ["house"], "{at}");
    cancel_everywhere(db, async || accounts(db), read).await;
}

async fn transfers_with_little_time_are_whole_or_not_at_all(db: &DatabaseConnection) {
    let [ann, bob] = ann_and_bob(db).await;
    for round in 0..60 {
        let patience = Duration::from_micros(round * 50);
        let work = transfer_in(db.begin().await.unwrap(), ann, bob, 1);
        if let Ok(Err(Refused::Database(error))) = tokio::time::timeout(patience, work).await {
            panic!("{error}");
        }
        expect_balanced(db, &format!("after {patience:?}")).await;
    }
    settle(db).await;
}

/// A transfer whose statements are text: what sqlx can drop half-way on MySQL as well.
async fn transfer_as_text(tx: DatabaseTransaction, [ann, bob]: [i64; 2]) -> Result<(), DbErr> {
    let booked = tx.begin().await?;
    for (id, amount) in [(ann, -1), (bob, 1)] {
        let entry = format!("INSERT INTO entry (account, amount) VALUES ({id}, {amount})");
        booked.execute_unprepared(&entry).await?;
    }
    booked.commit().await?;
    for (id, amount) in [(ann, -1), (bob, 1)] {
        let sql = format!("UPDATE account SET balance = balance + {amount} WHERE id = {id}");
        tx.execute_unprepared(&sql).await?;
    }
    tx.commit().await
}

async fn a_transfer_as_text_cancelled_anywhere_is_whole_or_not_at_all(db: &DatabaseConnection) {
    let ids = ann_and_bob(db).await;
    let start = async || transfer_as_text(db.begin().await.unwrap(), ids);
    cancel_everywhere(db, start, async |_, at| expect_balanced(db, at).await).await;
    for round in 0..60 {
        let patience = Duration::from_micros(round * 50);
        let work = transfer_as_text(db.begin().await.unwrap(), ids);
        if let Ok(Err(error)) = tokio::time::timeout(patience, work).await {
            // What was cancelled before may still have its locks: MySQL ends one of two that wait for
            // each other.
            assert!(error.to_string().contains("1213 (40001)"), "{error}");
        }
        expect_balanced(db, &format!("after {patience:?}")).await;
    }
    settle(db).await;
}

async fn a_task_aborted_in_the_middle_is_undone(db: &DatabaseConnection) {
    for round in 0..10_u64 {
        let own = db.clone();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            let tx = own.begin().await.unwrap();
            begun.send(()).unwrap();
            loop {
                let sql = "UPDATE account SET balance = balance + 1";
                tx.execute_unprepared(sql).await.unwrap();
            }
        });
        has_begun.await.unwrap();
        tokio::time::sleep(Duration::from_micros(round * 300)).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        let found = accounts(db).await.unwrap();
        assert_eq!(found, [("house".to_owned(), 1000)], "round {round}");
    }
}

async fn a_slow_query_that_is_cancelled_is_waited_for(db: &DatabaseConnection) {
    open(db, "kept", 0).await.unwrap();
    let slow = match db.get_database_backend() {
        DbBackend::Postgres => "SELECT pg_sleep(0.2)",
        DbBackend::MySql => "SELECT sleep(0.2)",
        _ => {
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 100000) \
             SELECT max(x) FROM n"
        }
    };
    for _ in 0..100 {
        // On a busy machine it may be over before anybody looks.
        let patience = Duration::from_millis(5);
        let cancelled = tokio::time::timeout(patience, db.execute_unprepared(slow)).await;
        assert_eq!(names(db).await, ["house", "kept"]);
        if cancelled.is_err() {
            return;
        }
    }
    panic!("it is never cancelled");
}

in_every_place! {
    a_transfer_as_text_cancelled_anywhere_is_whole_or_not_at_all,
    a_task_aborted_in_the_middle_is_undone,
    a_slow_query_that_is_cancelled_is_waited_for,
}

/// Not on MySQL: sqlx loses count of the answers when a prepared query is dropped half-way.
/// `differences` shows what the sandbox makes of that.
mod with_parameters {
    use super::*;

    in_every_place! {
        sqlite, postgres:
        a_transfer_cancelled_anywhere_is_whole_or_not_at_all,
        an_import_cancelled_anywhere_imports_all_or_nothing,
        a_query_cancelled_anywhere_does_not_disturb_the_next,
        transfers_with_little_time_are_whole_or_not_at_all,
    }
}

/// Only in the sandbox: in production sqlx leaves a transaction open in the pool when a `begin` is
/// dropped half-way, on PostgreSQL and MySQL. `differences` shows that too.
mod with_the_begin {
    use super::*;

    async fn a_cancelled_begin_loses_nothing(db: &DatabaseConnection) {
        open(db, "kept", 0).await.unwrap();
        let look = async |_: bool, at: &str| assert_eq!(names(db).await, ["house", "kept"], "{at}");
        cancel_everywhere(db, async || db.begin(), look).await;
        let nested = async || async {
            let tx = db.begin().await?;
            tx.execute_unprepared("DELETE FROM account").await?;
            tx.begin().await?.begin().await.map(drop)
        };
        cancel_everywhere(db, nested, look).await;
        for nanos in 0..100 {
            let _ = tokio::time::timeout(Duration::from_nanos(nanos * 1000), db.begin()).await;
            assert_eq!(names(db).await, ["house", "kept"], "after {nanos}");
        }
    }

    async fn a_whole_service_cancelled_anywhere_is_whole_or_not_at_all(db: &DatabaseConnection) {
        let [ann, bob] = ann_and_bob(db).await;
        let look = async |_: bool, at: &str| expect_balanced(db, at).await;
        cancel_everywhere(db, async || transfer(db, ann, bob, 1), look).await;
        cancel_everywhere(db, async || transfer_by_closure(db, ann, bob, 1), look).await;
        let others = "DELETE FROM entry; DELETE FROM account WHERE name <> 'house'";
        db.execute_unprepared(others).await.unwrap();
        let start = async || import(db, &["ann", "house", "bob"]);
        cancel_everywhere(db, start, async |is_done, at| {
            all_or_nothing(db, is_done, at).await;
        })
        .await;
    }

    in_every_place!(sandbox on sqlite Sqlite:
        a_cancelled_begin_loses_nothing, a_whole_service_cancelled_anywhere_is_whole_or_not_at_all);
    in_every_place!(sandbox on postgres Postgres:
        a_cancelled_begin_loses_nothing, a_whole_service_cancelled_anywhere_is_whole_or_not_at_all);
    in_every_place!(sandbox on mysql MySql: a_cancelled_begin_loses_nothing);
}
