//! Streams: read to the end, in part, in a transaction, dropped, and broken off by the database.

use futures::{StreamExt as _, TryStreamExt as _};
use sea_orm::{
    DatabaseConnection, DbBackend, EntityTrait as _, QueryOrder as _, Statement, StreamTrait as _,
    TransactionTrait as _,
};

use super::{
    bank::{account, audit, book, entry, open},
    transactions::names,
};

const MANY: i64 = 300;

/// An account with [`MANY`] entries of 1.
async fn rich(db: &DatabaseConnection) -> i64 {
    let ann = open(db, "ann", 0).await.unwrap();
    let entries = (0..MANY).map(|_| entry::ActiveModel {
        account: sea_orm::ActiveValue::Set(ann),
        amount: sea_orm::ActiveValue::Set(1),
        ..Default::default()
    });
    entry::Entity::insert_many(entries).exec(db).await.unwrap();
    ann
}

async fn a_stream_is_read_to_its_end(db: &DatabaseConnection) {
    let ann = rich(db).await;
    assert_eq!(audit(db, ann).await.unwrap(), MANY);
    let all = entry::Entity::find()
        .order_by_asc(entry::Column::Id)
        .stream(db)
        .await
        .unwrap();
    let all: Vec<_> = all.try_collect().await.unwrap();
    assert!(all.is_sorted_by_key(|entry| entry.id));
    assert_eq!(all.len(), 300);
    book(db, ann, 1).await.unwrap();
    assert_eq!(audit(db, ann).await.unwrap(), MANY + 1);
}

async fn a_stream_read_in_part_is_dropped_and_the_next_query_works(db: &DatabaseConnection) {
    let ann = rich(db).await;
    for read in [0, 1, 7, 299, 300] {
        let mut stream = entry::Entity::find().stream(db).await.unwrap();
        for _ in 0..read {
            assert!(stream.try_next().await.unwrap().is_some());
        }
        drop(stream);
        assert_eq!(audit(db, ann).await.unwrap(), MANY, "after {read}");
    }
    book(db, ann, 1).await.unwrap();
    assert_eq!(audit(db, ann).await.unwrap(), MANY + 1);
}

async fn a_stream_that_is_never_polled_is_dropped(db: &DatabaseConnection) {
    rich(db).await;
    drop(entry::Entity::find().stream(db).await.unwrap());
    drop(entry::Entity::find().stream(db));
    assert_eq!(names(db).await, ["ann", "house"]);
}

async fn a_stream_in_a_transaction_leaves_it_usable(db: &DatabaseConnection) {
    let ann = rich(db).await;
    let tx = db.begin().await.unwrap();
    for read in [1, 250] {
        let mut stream = entry::Entity::find().stream(&tx).await.unwrap();
        for _ in 0..read {
            stream.try_next().await.unwrap().unwrap();
        }
        drop(stream);
        book(&tx, ann, 1).await.unwrap();
    }
    let nested = tx.begin().await.unwrap();
    let first = account::Entity::find()
        .stream(&nested)
        .await
        .unwrap()
        .next()
        .await;
    first.unwrap().unwrap();
    book(&nested, ann, 1).await.unwrap();
    nested.rollback().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(audit(db, ann).await.unwrap(), MANY + 2);
}

async fn a_transaction_dropped_after_a_stream_is_undone(db: &DatabaseConnection) {
    let ann = rich(db).await;
    let tx = db.begin().await.unwrap();
    book(&tx, ann, 1).await.unwrap();
    let mut stream = entry::Entity::find().stream(&tx).await.unwrap();
    stream.try_next().await.unwrap().unwrap();
    drop(stream);
    drop(tx);
    assert_eq!(audit(db, ann).await.unwrap(), MANY);
}

/// Rows, of which some later one cannot be computed.
fn broken(backend: DbBackend) -> Statement {
    let sql = match backend {
        DbBackend::Postgres => "SELECT 1 / (200 - n) FROM generate_series(1, 300) AS n",
        DbBackend::MySql => "SELECT exp(if(amount = 2, 1000, 1)) FROM entry ORDER BY id",
        _ => "SELECT abs(iif(amount = 2, -9223372036854775807 - 1, 1)) FROM entry ORDER BY id",
    };
    Statement::from_string(backend, sql)
}

async fn an_error_in_the_middle_of_a_stream_ends_it_alone(db: &DatabaseConnection) {
    let ann = rich(db).await;
    book(db, ann, 2).await.unwrap();
    let statement = broken(db.get_database_backend());
    for _ in 0..3 {
        let stream = db.stream_raw(statement.clone()).await.unwrap();
        let read: Vec<_> = stream.collect().await;
        assert!(read.last().unwrap().is_err());
        assert_eq!(audit(db, ann).await.unwrap(), MANY + 2);
    }
    let tx = db.begin().await.unwrap();
    let nested = tx.begin().await.unwrap();
    book(&nested, ann, 1).await.unwrap();
    let read: Vec<_> = nested.stream_raw(statement).await.unwrap().collect().await;
    assert!(read.last().unwrap().is_err());
    nested.rollback().await.unwrap();
    book(&tx, ann, 5).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(audit(db, ann).await.unwrap(), MANY + 7);
}

async fn a_stream_can_move_to_a_task(db: &DatabaseConnection) {
    let ann = rich(db).await;
    let own = db.clone();
    let sum = tokio::spawn(async move { audit(&own, ann).await.unwrap() });
    assert_eq!(sum.await.unwrap(), MANY);
    let own = db.clone();
    let aborted = tokio::spawn(async move {
        let mut stream = entry::Entity::find().stream(&own).await.unwrap();
        while stream.try_next().await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    });
    tokio::task::yield_now().await;
    aborted.abort();
    let _ = aborted.await;
    book(db, ann, 1).await.unwrap();
    assert_eq!(audit(db, ann).await.unwrap(), MANY + 1);
}

in_every_place! {
    a_stream_is_read_to_its_end,
    a_stream_read_in_part_is_dropped_and_the_next_query_works,
    a_stream_that_is_never_polled_is_dropped,
    a_stream_in_a_transaction_leaves_it_usable,
    a_transaction_dropped_after_a_stream_is_undone,
    an_error_in_the_middle_of_a_stream_ends_it_alone,
    a_stream_can_move_to_a_task,
}
