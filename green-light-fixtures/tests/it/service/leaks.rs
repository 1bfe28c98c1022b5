//! What a test leaves open: a transaction or a stream that is forgotten, a task that goes on.
//!
//! Such a test cannot use its connection any more in the sandbox, so each body ends with its leak.

use futures::TryStreamExt as _;
use sea_orm::{DatabaseConnection, EntityTrait as _, TransactionTrait as _};

use super::bank::{account, open};

async fn a_forgotten_transaction_is_undone(db: &DatabaseConnection) {
    let tx = db.begin().await.unwrap();
    open(&tx, "forgotten", 0).await.unwrap();
    std::mem::forget(tx);
}

async fn a_forgotten_nested_transaction_is_undone(db: &DatabaseConnection) {
    let tx = Box::leak(Box::new(db.begin().await.unwrap()));
    open(tx, "outer", 0).await.unwrap();
    let nested = tx.begin().await.unwrap();
    open(&nested, "inner", 0).await.unwrap();
    nested.commit().await.unwrap();
    std::mem::forget(tx.begin().await.unwrap());
}

async fn a_forgotten_stream_disturbs_nobody(db: &DatabaseConnection) {
    let db = Box::leak(Box::new(db.clone()));
    let mut stream = account::Entity::find().stream(db).await.unwrap();
    stream.try_next().await.unwrap().unwrap();
    std::mem::forget(stream);
}

async fn a_task_that_never_ends_is_undone(db: &DatabaseConnection) {
    let own = db.clone();
    let (begun, is_begun) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let tx = own.begin().await.unwrap();
        open(&tx, "in a task", 0).await.unwrap();
        begun.send(()).unwrap();
        std::future::pending::<()>().await;
        tx.commit().await
    });
    is_begun.await.unwrap();
}

async fn a_transaction_in_a_static_is_undone(db: &DatabaseConnection) {
    static LATER: std::sync::Mutex<Vec<sea_orm::DatabaseTransaction>> =
        std::sync::Mutex::new(Vec::new());
    let tx = db.begin().await.unwrap();
    open(&tx, "for later", 0).await.unwrap();
    LATER.lock().unwrap().push(tx);
}

in_every_place! {
    Held:
    a_forgotten_transaction_is_undone,
    a_forgotten_nested_transaction_is_undone,
    a_forgotten_stream_disturbs_nobody,
    a_task_that_never_ends_is_undone,
    a_transaction_in_a_static_is_undone,
}
