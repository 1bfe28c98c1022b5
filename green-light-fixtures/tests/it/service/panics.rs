//! Panics with transactions and streams open: caught, in tasks, while others go on.

use std::panic::AssertUnwindSafe;

use futures::{FutureExt as _, TryStreamExt as _};
use sea_orm::{DatabaseConnection, DbErr, EntityTrait as _, TransactionTrait as _};

use super::{
    bank::{account, open},
    transactions::names,
};

/// Panics as a failing assertion does.
fn fail() {
    panic!("as a failing assertion does");
}

async fn a_panic_with_nested_transactions_undoes_them_in_order(db: &DatabaseConnection) {
    open(db, "before", 0).await.unwrap();
    let work = async {
        let outer = db.begin().await.unwrap();
        open(&outer, "outer", 0).await.unwrap();
        let inner = outer.begin().await.unwrap();
        open(&inner, "inner", 0).await.unwrap();
        fail();
    };
    AssertUnwindSafe(work).catch_unwind().await.unwrap_err();
    assert_eq!(names(db).await, ["before", "house"]);
    open(db, "after", 0).await.unwrap();
}

async fn a_panic_in_a_task_undoes_its_transaction_alone(db: &DatabaseConnection) {
    for turn in 0..5 {
        let own = db.clone();
        let task = tokio::spawn(async move {
            let tx = own.begin().await.unwrap();
            open(&tx, "undone", 0).await.unwrap();
            fail();
            tx.commit().await.unwrap();
        });
        assert!(task.await.unwrap_err().is_panic());
        open(db, &format!("{turn}"), 0).await.unwrap();
    }
    assert_eq!(names(db).await.len(), 6);
}

async fn a_panic_in_a_closure_rolls_back(db: &DatabaseConnection) {
    let work = db.transaction::<_, (), DbErr>(|tx| {
        Box::pin(async move {
            open(tx, "undone", 0).await?;
            fail();
            Ok(())
        })
    });
    AssertUnwindSafe(work).catch_unwind().await.unwrap_err();
    assert_eq!(names(db).await, ["house"]);
}

async fn a_panic_inside_a_transaction_that_goes_on(db: &DatabaseConnection) {
    let outer = db.begin().await.unwrap();
    open(&outer, "outer", 0).await.unwrap();
    let work = async {
        let inner = outer.begin().await.unwrap();
        open(&inner, "inner", 0).await.unwrap();
        fail();
    };
    AssertUnwindSafe(work).catch_unwind().await.unwrap_err();
    assert_eq!(names(&outer).await, ["house", "outer"]);
    outer.commit().await.unwrap();
    assert_eq!(names(db).await, ["house", "outer"]);
}

async fn a_panic_while_a_stream_is_read(db: &DatabaseConnection) {
    let work = async {
        let mut stream = account::Entity::find().stream(db).await.unwrap();
        while stream.try_next().await.unwrap().is_some() {
            fail();
        }
    };
    AssertUnwindSafe(work).catch_unwind().await.unwrap_err();
    open(db, "after", 0).await.unwrap();
    assert_eq!(names(db).await, ["after", "house"]);
}

async fn a_panic_after_an_sql_error(db: &DatabaseConnection) {
    let work = async {
        let tx = db.begin().await.unwrap();
        open(&tx, "undone", 0).await.unwrap();
        open(&tx, "house", 0).await.unwrap();
    };
    AssertUnwindSafe(work).catch_unwind().await.unwrap_err();
    assert_eq!(names(db).await, ["house"]);
}

async fn a_panic_beside_a_transaction_of_another_task(db: &DatabaseConnection) {
    let own = db.clone();
    let steady = tokio::spawn(async move {
        for n in 0..20 {
            let tx = own.begin().await.unwrap();
            open(&tx, &format!("{n}"), 0).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    for _ in 0..5 {
        let own = db.clone();
        let task = tokio::spawn(async move {
            let tx = own.begin().await.unwrap();
            open(&tx, "undone", 0).await.unwrap();
            fail();
        });
        assert!(task.await.unwrap_err().is_panic());
    }
    steady.await.unwrap();
    assert_eq!(names(db).await.len(), 21);
}

in_every_place! {
    a_panic_with_nested_transactions_undoes_them_in_order,
    a_panic_in_a_task_undoes_its_transaction_alone,
    a_panic_in_a_closure_rolls_back,
    a_panic_inside_a_transaction_that_goes_on,
    a_panic_while_a_stream_is_read,
    a_panic_after_an_sql_error,
    a_panic_beside_a_transaction_of_another_task,
}
