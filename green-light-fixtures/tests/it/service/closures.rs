//! Transactions by closure: `Ok` commits, `Err` rolls back, and they nest.

use sea_orm::{DatabaseConnection, DbErr, TransactionError, TransactionTrait as _};

use super::{
    bank::{Refused, audit, is_unique, open, transfer_by_closure},
    transactions::names,
};

async fn ok_commits_and_err_rolls_back(db: &DatabaseConnection) {
    let value = db
        .transaction::<_, _, DbErr>(|tx| Box::pin(async move { open(tx, "ann", 3).await }))
        .await
        .unwrap();
    assert!(value > 0);
    let error = db
        .transaction::<_, (), Refused>(|tx| {
            Box::pin(async move {
                open(tx, "bob", 3).await?;
                Err(Refused::Funds)
            })
        })
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        TransactionError::Transaction(Refused::Funds)
    ));
    assert_eq!(names(db).await, ["ann", "house"]);
}

async fn an_sql_error_that_is_passed_on_rolls_back(db: &DatabaseConnection) {
    let error = db
        .transaction::<_, (), DbErr>(|tx| {
            Box::pin(async move {
                open(tx, "ann", 3).await?;
                open(tx, "house", 3).await?;
                Ok(())
            })
        })
        .await
        .unwrap_err();
    let TransactionError::Transaction(error) = error else {
        panic!("{error}")
    };
    assert!(is_unique(&error), "{error}");
    assert_eq!(names(db).await, ["house"]);
}

async fn a_service_that_transfers_by_closure(db: &DatabaseConnection) {
    let ann = open(db, "ann", 10).await.unwrap();
    let bob = open(db, "bob", 0).await.unwrap();
    transfer_by_closure(db, ann, bob, 4).await.unwrap();
    transfer_by_closure(db, ann, bob, 40).await.unwrap_err();
    transfer_by_closure(db, ann, 4711, 1).await.unwrap_err();
    assert_eq!(audit(db, bob).await.unwrap(), 4);
    assert_eq!(audit(db, ann).await.unwrap(), -4);
}

async fn an_inner_closure_that_fails_leaves_the_outer_one(db: &DatabaseConnection) {
    db.transaction::<_, (), DbErr>(|outer| {
        Box::pin(async move {
            open(outer, "outer", 0).await?;
            let inner = outer
                .transaction::<_, (), DbErr>(|inner| {
                    Box::pin(async move {
                        open(inner, "inner", 0).await?;
                        open(inner, "house", 0).await.map(drop)
                    })
                })
                .await;
            assert!(inner.is_err());
            outer
                .transaction::<_, (), DbErr>(|inner| {
                    Box::pin(async move { open(inner, "second", 0).await.map(drop) })
                })
                .await
                .unwrap();
            Ok(())
        })
    })
    .await
    .unwrap();
    assert_eq!(names(db).await, ["house", "outer", "second"]);
}

async fn an_outer_closure_that_fails_takes_the_inner_one_along(db: &DatabaseConnection) {
    let failed = db
        .transaction::<_, (), DbErr>(|outer| {
            Box::pin(async move {
                outer
                    .transaction::<_, (), DbErr>(|inner| {
                        Box::pin(async move { open(inner, "inner", 0).await.map(drop) })
                    })
                    .await
                    .unwrap();
                Err(DbErr::Custom("no".to_owned()))
            })
        })
        .await;
    assert!(matches!(
        failed,
        Err(TransactionError::Transaction(DbErr::Custom(_)))
    ));
    assert_eq!(names(db).await, ["house"]);
}

in_every_place! {
    ok_commits_and_err_rolls_back,
    an_sql_error_that_is_passed_on_rolls_back,
    a_service_that_transfers_by_closure,
    an_inner_closure_that_fails_leaves_the_outer_one,
    an_outer_closure_that_fails_takes_the_inner_one_along,
}
