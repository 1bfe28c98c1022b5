//! Where a transaction that is never committed cannot be as production is: each difference, both
//! sides of it, and why.
//!
//! * It is inside a transaction, so what cannot be in one is refused, a level of isolation cannot be
//!   chosen any more, the clock of PostgreSQL stands still, and nothing is notified.
//! * It is one connection, so nothing happens beside an open transaction or stream, a lock has no rival,
//!   and what a connection keeps is kept for all.
//! * Nothing is committed, so what is checked at commit is checked at the end, and what commits by
//!   itself is a breach.
//!
//! `isolation = database` has none of them. `src/docs/traps.md` tells them to users.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures::TryStreamExt as _;
use green_light_fixtures::{Backend, Engine, Session, Transaction};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, EntityTrait as _, IsolationLevel, Statement,
    TransactionTrait as _,
};

use sqlx::Connection as _;

use super::{
    bank::{account, open},
    place::{self, state, template},
    transactions::names,
};
use crate::support::number;

/// A service in production beside the same service in a test.
struct Pair {
    engine: Engine,
    session: Session,
    real: DatabaseConnection,
    test: Transaction,
    sandbox: DatabaseConnection,
    _directory: tempfile::TempDir,
}

impl Pair {
    async fn on(backend: Backend) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let engine = place::engine(backend, directory.path()).await;
        let session = place::own(&engine).await;
        let real = place::pool(&session).await;
        let test = engine.transaction_for("bank::differs").await.unwrap();
        Self {
            sandbox: test.connection(),
            engine,
            session,
            real,
            test,
            _directory: directory,
        }
    }

    /// Ends both, and returns what the end of the test says. The next test finds nothing of it.
    async fn end(self) -> Result<(), green_light_fixtures::Error> {
        drop(self.sandbox);
        let ended = self.test.finish().await;
        let next = self.engine.transaction_for("next").await.unwrap();
        assert_eq!(state(&next.connection()).await, template());
        next.finish().await.unwrap();
        self.real.close().await.unwrap();
        self.session.finish().await.unwrap();
        ended
    }
}

/// In time, since nothing may hang.
async fn soon<T>(work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(Duration::from_secs(5), work).await;
    done.expect("it fails in time")
}

#[test]
fn the_commit_of_an_aborted_transaction_is_an_error() {
    crate::support::run(async {
        let pair = Pair::on(Backend::Postgres).await;
        for (db, says_so) in [(&pair.real, false), (&pair.sandbox, true)] {
            let tx = db.begin().await.unwrap();
            open(&tx, "ann", 0).await.unwrap();
            open(&tx, "house", 0).await.unwrap_err();
            // PostgreSQL answers `ROLLBACK` to such a `COMMIT`, but refuses to release a savepoint.
            assert_eq!(tx.commit().await.is_err(), says_so);
            assert_eq!(names(db).await, ["house"], "undone in both");
        }
        pair.end().await.unwrap();
    });
}

async fn a_level_of_isolation_cannot_be_chosen(backend: Backend) {
    let pair = Pair::on(backend).await;
    let level = Some(IsolationLevel::Serializable);
    let tx = pair.real.begin_with_config(level, None).await.unwrap();
    open(&tx, "ann", 0).await.unwrap();
    tx.commit().await.unwrap();
    pair.sandbox
        .begin_with_config(level, None)
        .await
        .map(drop)
        .unwrap_err();
    open(&pair.sandbox, "ann", 0).await.unwrap();
    assert_eq!(
        names(&pair.sandbox).await,
        ["ann", "house"],
        "and nothing is lost by it"
    );
    pair.end().await.unwrap();
}

async fn nothing_happens_beside_an_open_transaction(backend: Backend) {
    let pair = Pair::on(backend).await;
    for (db, has_another) in [(&pair.real, true), (&pair.sandbox, false)] {
        let tx = db.begin().await.unwrap();
        open(&tx, "ann", 0).await.unwrap();
        let beside = soon(account::Entity::find().all(db)).await;
        assert_eq!(beside.is_ok(), has_another);
        assert_eq!(soon(db.begin()).await.is_ok(), has_another);
        tx.commit().await.unwrap();
        assert_eq!(names(db).await, ["ann", "house"]);
    }
    assert!(
        pair.test
            .contention()
            .unwrap()
            .contains("pass `&transaction` on")
    );
    pair.end().await.unwrap();
}

async fn nothing_happens_beside_an_open_stream(backend: Backend) {
    let pair = Pair::on(backend).await;
    for (db, has_another) in [(&pair.real, true), (&pair.sandbox, false)] {
        let mut stream = account::Entity::find().stream(db).await.unwrap();
        stream.try_next().await.unwrap().unwrap();
        assert_eq!(soon(open(db, "ann", 0)).await.is_ok(), has_another);
        drop(stream);
        open(db, "bob", 0).await.unwrap();
    }
    pair.end().await.unwrap();
}

#[test]
fn the_clock_of_postgres_stands_still() {
    crate::support::run(async {
        let pair = Pair::on(Backend::Postgres).await;
        let now = "SELECT (extract(epoch FROM now()) * 1000000)::bigint";
        for (db, goes) in [(&pair.real, true), (&pair.sandbox, false)] {
            let before = number(db, now).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
            assert_eq!(number(db, now).await > before, goes);
        }
        pair.end().await.unwrap();
    });
}

async fn what_no_transaction_may_contain_is_refused(backend: Backend) {
    let pair = Pair::on(backend).await;
    pair.real.execute_unprepared("VACUUM").await.unwrap();
    open(&pair.sandbox, "ann", 0).await.unwrap();
    pair.sandbox.execute_unprepared("VACUUM").await.unwrap_err();
    assert_eq!(names(&pair.sandbox).await, ["ann", "house"]);
    pair.end().await.unwrap();
}

async fn foreign_keys_cannot_be_turned_off(backend: Backend) {
    let pair = Pair::on(backend).await;
    for (db, are_off) in [(&pair.real, true), (&pair.sandbox, false)] {
        let sql = "PRAGMA foreign_keys = OFF; INSERT INTO entry (account, amount) VALUES (4711, 1); \
                   PRAGMA foreign_keys = ON";
        assert_eq!(db.execute_unprepared(sql).await.is_ok(), are_off);
    }
    pair.end().await.unwrap();
}

async fn a_definition_that_commits_is_a_breach(backend: Backend) {
    let pair = Pair::on(backend).await;
    let sql = "CREATE TABLE more (x int)";
    pair.real.execute_unprepared(sql).await.unwrap();
    pair.sandbox
        .execute_unprepared(sql)
        .await
        .map(drop)
        .unwrap_err();
    assert!(pair.end().await.unwrap_err().is_breach());
}

async fn a_transaction_written_as_text_is_a_breach(backend: Backend) {
    let pair = Pair::on(backend).await;
    let sql = "BEGIN; INSERT INTO account (name, balance) VALUES ('ann', 0); COMMIT";
    pair.real.execute_unprepared(sql).await.unwrap();
    let _ = pair.sandbox.execute_unprepared(sql).await;
    let _ = pair.sandbox.execute_unprepared("COMMIT").await;
    assert_eq!(names(&pair.real).await, ["ann", "house"]);
    assert!(pair.end().await.unwrap_err().is_breach());
}

async fn deferred_keys_are_checked_at_the_end(backend: Backend) {
    let deferred = "CREATE TABLE late (account BIGINT \
                    REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED)";
    let directory = tempfile::tempdir().unwrap();
    let schema = place::schema(backend)
        .seed(async move |db: &DatabaseConnection| db.execute_unprepared(deferred).await.map(drop));
    let engine = place::engine_of(backend, schema, directory.path()).await;
    let session = place::own(&engine).await;
    let test = engine.transaction_for("bank::defers").await.unwrap();
    let sandbox = test.connection();
    for (db, at_commit) in [(session.connection(), true), (&sandbox, false)] {
        let tx = db.begin().await.unwrap();
        tx.execute_unprepared("INSERT INTO late VALUES (4711)")
            .await
            .unwrap();
        assert_eq!(tx.commit().await.is_err(), at_commit);
    }
    drop(sandbox);
    assert!(test.finish().await.unwrap_err().is_constraint());
    session.finish().await.unwrap();
}

async fn a_lock_has_no_rival(backend: Backend) {
    let pair = Pair::on(backend).await;
    let skip = async |db: &sea_orm::DatabaseTransaction| {
        let sql = "SELECT id FROM account FOR UPDATE SKIP LOCKED";
        let rows = db
            .query_all_raw(Statement::from_string(backend.dialect(), sql))
            .await;
        rows.unwrap().len()
    };
    let (one, two) = (
        pair.real.begin().await.unwrap(),
        pair.real.begin().await.unwrap(),
    );
    assert_eq!((skip(&one).await, skip(&two).await), (1, 0));
    drop((one, two));
    let outer = pair.sandbox.begin().await.unwrap();
    let inner = outer.begin().await.unwrap();
    assert_eq!((skip(&outer).await, skip(&inner).await), (1, 1));
    drop(inner);
    drop(outer);
    pair.end().await.unwrap();
}

async fn what_a_connection_keeps_is_kept_for_all(backend: Backend) {
    let pair = Pair::on(backend).await;
    let (real, sandbox) = (&pair.real, &pair.sandbox);
    let kept = "CREATE TEMPORARY TABLE mine (x int)";
    let open_one = real.begin().await.unwrap();
    open_one.execute_unprepared(kept).await.unwrap();
    real.execute_unprepared("SELECT * FROM mine")
        .await
        .map(drop)
        .unwrap_err();
    open_one.commit().await.unwrap();
    sandbox.execute_unprepared(kept).await.unwrap();
    sandbox
        .execute_unprepared("SELECT * FROM mine")
        .await
        .unwrap();
    pair.end().await.unwrap();
}

/// What sqlx says of a connection that no transaction of the application is open on.
async fn is_in_transaction(db: &DatabaseConnection, backend: Backend) -> bool {
    match backend {
        Backend::Sqlite => {
            let connection = db.get_sqlite_connection_pool().acquire().await;
            connection.unwrap().is_in_transaction()
        }
        Backend::Postgres => {
            let connection = db.get_postgres_connection_pool().acquire().await;
            connection.unwrap().is_in_transaction()
        }
        _ => {
            let connection = db.get_mysql_connection_pool().acquire().await;
            connection.unwrap().is_in_transaction()
        }
    }
}

async fn sqlx_says_that_a_connection_is_in_a_transaction(backend: Backend) {
    let pair = Pair::on(backend).await;
    assert!(!is_in_transaction(&pair.real, backend).await);
    assert!(is_in_transaction(&pair.sandbox, backend).await);
    pair.end().await.unwrap();
}

async fn a_hook_of_a_commit_is_not_called(backend: Backend) {
    let pair = Pair::on(backend).await;
    for (db, calls) in [(&pair.real, 1), (&pair.sandbox, 0)] {
        let called = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&called);
        let mut connection = db.get_sqlite_connection_pool().acquire().await.unwrap();
        let hook = move || count.fetch_add(1, Ordering::Relaxed) < usize::MAX;
        let mut handle = connection.lock_handle().await.unwrap();
        handle.set_commit_hook(hook);
        drop(handle);
        let mut transaction = connection.begin().await.unwrap();
        sqlx::query("INSERT INTO account VALUES (2, 'ann', 0)")
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        let mut handle = connection.lock_handle().await.unwrap();
        handle.remove_commit_hook();
        drop(handle);
        assert_eq!(called.load(Ordering::Relaxed), calls);
    }
    pair.end().await.unwrap();
}

/// Polls `future` so many times, and drops it: at the same point whatever the machine has to do.
async fn polled(times: usize, future: impl Future) {
    let (mut future, mut left) = (pin!(future), times);
    poll_fn(|context| {
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Pending if left > 0 => Poll::Pending,
            Poll::Pending | Poll::Ready(_) => Poll::Ready(()),
        }
    })
    .await;
}

/// sqlx forgets that it has sent `BEGIN`, so what follows on that connection is not committed. On MySQL
/// the next `BEGIN` commits it.
async fn a_begin_that_is_dropped_half_way_leaves_a_transaction_open(backend: Backend) {
    let pair = Pair::on(backend).await;
    let lost = async |db: &DatabaseConnection| {
        for n in 0..200 {
            polled(1 + n % 5, db.begin()).await;
            open(db, &format!("{n}"), 0).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let alone = place::pool_of(&pair.session, 1).await;
    lost(&alone).await;
    alone.close_by_ref().await.unwrap();
    let kept = place::outside(&pair.session).await.0.len();
    assert!(
        kept < 201,
        "all {kept} were committed: sqlx has learned it, so drop this difference"
    );
    lost(&pair.sandbox).await;
    assert_eq!(names(&pair.sandbox).await.len(), 201);
    pair.end().await.unwrap();
}

/// What sqlx does not read of the answer is taken for that of the next query. In the sandbox that
/// ends with an error, and with a report unless nothing was lost.
async fn a_prepared_query_dropped_half_way_may_cost_the_connection(backend: Backend) {
    let directory = tempfile::tempdir().unwrap();
    let engine = place::engine(backend, directory.path()).await;
    for micros in 0..12 {
        let test = engine.transaction_for("bank::drops").await.unwrap();
        let db = test.connection();
        for n in 0..4 {
            let patience = Duration::from_micros(micros * 20);
            drop(tokio::time::timeout(patience, open(&db, &format!("{n}"), 0)).await);
        }
        let seen = soon(account::Entity::find().all(&db)).await;
        drop(db);
        let ended = soon(test.finish()).await;
        if let Err(error) = &ended {
            assert!(error.is_breach() || error.is_held(), "{error}");
        }
        assert!(seen.is_ok() || ended.is_err(), "{seen:?}");
        let next = engine.transaction_for("next").await.unwrap();
        assert_eq!(state(&next.connection()).await, template());
        next.finish().await.unwrap();
    }
}

on_backend!(
    sqlite,
    Sqlite,
    nothing_happens_beside_an_open_transaction,
    nothing_happens_beside_an_open_stream,
    what_no_transaction_may_contain_is_refused,
    foreign_keys_cannot_be_turned_off,
    a_hook_of_a_commit_is_not_called,
    a_transaction_written_as_text_is_a_breach,
    deferred_keys_are_checked_at_the_end,
    what_a_connection_keeps_is_kept_for_all,
    sqlx_says_that_a_connection_is_in_a_transaction,
);
on_backend!(
    postgres,
    Postgres,
    a_level_of_isolation_cannot_be_chosen,
    nothing_happens_beside_an_open_transaction,
    nothing_happens_beside_an_open_stream,
    what_no_transaction_may_contain_is_refused,
    a_transaction_written_as_text_is_a_breach,
    deferred_keys_are_checked_at_the_end,
    a_lock_has_no_rival,
    what_a_connection_keeps_is_kept_for_all,
    sqlx_says_that_a_connection_is_in_a_transaction,
    a_begin_that_is_dropped_half_way_leaves_a_transaction_open,
);
on_backend!(
    mysql,
    MySql,
    a_level_of_isolation_cannot_be_chosen,
    nothing_happens_beside_an_open_transaction,
    nothing_happens_beside_an_open_stream,
    a_definition_that_commits_is_a_breach,
    a_transaction_written_as_text_is_a_breach,
    a_lock_has_no_rival,
    what_a_connection_keeps_is_kept_for_all,
    sqlx_says_that_a_connection_is_in_a_transaction,
    a_prepared_query_dropped_half_way_may_cost_the_connection,
);
