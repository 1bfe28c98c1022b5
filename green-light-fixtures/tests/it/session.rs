//! What a session is to code that takes connections, and its own transactions.

use green_light_fixtures::{Backend, Isolation, TransactionOptions};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, StreamTrait, TransactionError,
    TransactionSession, TransactionTrait,
};

use crate::support::{count, engine_on, expect_clean, insert};

async fn application(db: &DatabaseConnection) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    insert(&tx, "application").await?;
    tx.commit().await
}

async fn generic<C: ConnectionTrait + TransactionTrait + StreamTrait>(db: &C) -> Result<(), DbErr> {
    db.transaction::<_, (), DbErr>(|tx| Box::pin(async move { insert(tx, "generic").await }))
        .await
        .map_err(|error| match error {
            TransactionError::Connection(error) | TransactionError::Transaction(error) => error,
        })?;
    let tx = db.begin().await?;
    insert(&tx, "generic too").await?;
    tx.commit().await
}

async fn a_session_fits_applications_and_generic_code(backend: Backend) {
    let engine = engine_on(backend).await;
    let session = engine.session(Isolation::Transaction).await.unwrap();
    application(&session).await.unwrap();
    application(session.connection()).await.unwrap_err();
    generic(&session).await.unwrap();
    insert(&session, "itself").await.unwrap();
    insert(&*session, "dereferenced").await.unwrap();
    let clone = session.clone();
    let task = tokio::spawn(async move { insert(&clone, "in a task").await });
    task.await.unwrap().unwrap();
    assert_eq!(count(&session).await, 7);
    assert_eq!(session.backend(), backend);
    let url = session.url().expose();
    assert!(url.starts_with(backend.name()), "{url}");
    assert!(format!("{session:?}").contains(backend.name()));
    session.finish().await.unwrap();
    expect_clean(&engine).await;
    // Who knows the place of a database on a server could have committed to it.
    let opened = 1 + u64::from(backend != Backend::Sqlite);
    assert_eq!(engine.stats().slots_opened, opened);
}

async fn a_session_that_is_dropped_leaves_nothing(backend: Backend) {
    let engine = engine_on(backend).await;
    let session = engine.session(Isolation::Transaction).await.unwrap();
    insert(&session, "lost").await.unwrap();
    drop(session);
    expect_clean(&engine).await;
    assert_eq!(engine.stats().transactions_open, 0);
}

async fn its_transactions_commit_roll_back_and_nest_as_asked(backend: Backend) {
    let engine = engine_on(backend).await;
    let session = engine.session(Isolation::Transaction).await.unwrap();
    let ok = async |tx: &DatabaseTransaction| insert(tx, "ok").await;
    let plain = TransactionOptions::new();
    for (options, rows) in [
        (plain.rollback(true), 1),
        (plain.rollback(true).nested(true), 1),
        (plain.nested(true), 2),
    ] {
        session.transaction(options, ok).await.unwrap();
        assert_eq!(count(&session).await, rows, "{options:?}");
    }
    session
        .transaction(plain, async |tx| insert(tx, "plain").await)
        .await
        .unwrap();
    assert_eq!(count(&session).await, 3);
    for options in [plain, plain.nested(true)] {
        let failed = session
            .transaction(options, async |tx| {
                insert(tx, "undone").await?;
                insert(tx, "seed").await
            })
            .await;
        assert!(
            matches!(failed, Err(TransactionError::Transaction(_))),
            "{failed:?}"
        );
        assert_eq!(count(&session).await, 3);
    }
    session.finish().await.unwrap();
    expect_clean(&engine).await;
}

async fn a_session_begins_whatever_its_connection_does(backend: Backend) {
    let engine = engine_on(backend).await;
    let session = engine.session(Isolation::Transaction).await.unwrap();
    let connection: &DatabaseConnection = session.as_ref();
    for kind in [
        ConnectionTrait::get_database_backend(&session),
        StreamTrait::get_database_backend(&session),
    ] {
        assert_eq!(kind, ConnectionTrait::get_database_backend(connection));
    }
    let tx = session
        .begin_with_options(sea_orm::TransactionOptions::default())
        .await
        .unwrap();
    insert(&tx, "kept").await.unwrap();
    tx.commit().await.unwrap();
    // By the trait, not by the method of the session that has its name.
    let failed = TransactionTrait::transaction(&session, |tx| {
        Box::pin(async move {
            insert(tx, "undone").await?;
            insert(tx, "seed").await
        })
    });
    let failed: Result<(), TransactionError<DbErr>> = failed.await;
    assert!(
        matches!(failed, Err(TransactionError::Transaction(_))),
        "{failed:?}"
    );
    assert_eq!(count(&session).await, 2);
    session.finish().await.unwrap();
    let shown = format!("{engine:?}");
    assert!(shown.starts_with("Engine {"), "{shown}");
    assert!(shown.contains("slots_opened: 1"), "{shown}");
    expect_clean(&engine).await;
}

async fn two_sessions_of_one_engine_do_not_see_each_other(backend: Backend) {
    let engine = engine_on(backend).await;
    let one = engine.session(Isolation::Transaction).await.unwrap();
    let two = engine.session(Isolation::Transaction).await.unwrap();
    insert(&one, "same").await.unwrap();
    insert(&two, "same").await.unwrap();
    insert(&two, "other").await.unwrap();
    assert_eq!((count(&one).await, count(&two).await), (2, 3));
    one.finish().await.unwrap();
    two.finish().await.unwrap();
    expect_clean(&engine).await;
    assert_eq!(engine.stats().slots_opened, 2);
}

on_each_backend! {
    a_session_fits_applications_and_generic_code,
    a_session_that_is_dropped_leaves_nothing,
    its_transactions_commit_roll_back_and_nest_as_asked,
    a_session_begins_whatever_its_connection_does,
    two_sessions_of_one_engine_do_not_see_each_other,
}
