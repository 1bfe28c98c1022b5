//! Begin, commit, rollback, drop, and nesting of them.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, EntityTrait as _, TransactionTrait as _};

use super::bank::{Refused, account, accounts, audit, entries, import, open, transfer};

pub(super) async fn names(db: &impl sea_orm::ConnectionTrait) -> Vec<String> {
    let all = accounts(db).await.unwrap();
    all.into_iter().map(|(name, _)| name).collect()
}

async fn a_commit_keeps(db: &DatabaseConnection) {
    let tx = db.begin().await.unwrap();
    open(&tx, "ann", 5).await.unwrap();
    assert_eq!(names(&tx).await, ["ann", "house"], "its own writes");
    tx.commit().await.unwrap();
    assert_eq!(names(db).await, ["ann", "house"]);
}

async fn a_rollback_undoes(db: &DatabaseConnection) {
    let tx = db.begin().await.unwrap();
    open(&tx, "ann", 5).await.unwrap();
    account::Entity::delete_many().exec(&tx).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(accounts(db).await.unwrap(), [("house".to_owned(), 1000)]);
}

async fn a_transaction_that_is_dropped_is_undone(db: &DatabaseConnection) {
    for turn in 0..10 {
        let tx = db.begin().await.unwrap();
        open(&tx, "ann", turn).await.unwrap();
        drop(tx);
        assert_eq!(names(db).await, ["house"]);
    }
}

async fn a_service_moves_all_or_nothing(db: &DatabaseConnection) {
    let ann = open(db, "ann", 10).await.unwrap();
    let bob = open(db, "bob", 0).await.unwrap();
    transfer(db, ann, bob, 7).await.unwrap();
    let refused = transfer(db, ann, bob, 7).await.unwrap_err();
    assert!(matches!(refused, Refused::Funds), "{refused}");
    let refused = transfer(db, ann, 4711, 3).await.unwrap_err();
    assert!(matches!(refused, Refused::NoSuchAccount), "{refused}");
    assert_eq!(
        (audit(db, ann).await.unwrap(), audit(db, bob).await.unwrap()),
        (-7, 7)
    );
    let expected =
        [("ann", 3), ("bob", 7), ("house", 1000)].map(|(name, is)| (name.to_owned(), is));
    assert_eq!(accounts(db).await.unwrap(), expected);
    assert_eq!(entries(db).await.unwrap(), 2);
}

async fn an_inner_commit_follows_the_outer_rollback(db: &DatabaseConnection) {
    let outer = db.begin().await.unwrap();
    let inner = outer.begin().await.unwrap();
    open(&inner, "ann", 0).await.unwrap();
    inner.commit().await.unwrap();
    assert_eq!(names(&outer).await, ["ann", "house"]);
    outer.rollback().await.unwrap();
    assert_eq!(names(db).await, ["house"]);
}

async fn an_inner_rollback_leaves_the_outer_one(db: &DatabaseConnection) {
    let outer = db.begin().await.unwrap();
    open(&outer, "outer", 0).await.unwrap();
    let inner = outer.begin().await.unwrap();
    open(&inner, "inner", 0).await.unwrap();
    inner.rollback().await.unwrap();
    let dropped = outer.begin().await.unwrap();
    open(&dropped, "dropped", 0).await.unwrap();
    drop(dropped);
    let again = outer.begin().await.unwrap();
    open(&again, "again", 0).await.unwrap();
    again.commit().await.unwrap();
    assert_eq!(names(&outer).await, ["again", "house", "outer"]);
    outer.commit().await.unwrap();
    assert_eq!(names(db).await, ["again", "house", "outer"]);
}

async fn twelve_levels_come_back_to_any_of_them(db: &DatabaseConnection) {
    for kept in [0, 1, 5, 12] {
        let mut levels = vec![db.begin().await.unwrap()];
        for level in 1..12 {
            let above = levels.last().unwrap().begin().await.unwrap();
            open(&above, &format!("{kept} at {level}"), 0)
                .await
                .unwrap();
            levels.push(above);
        }
        while let Some(innermost) = levels.pop() {
            if levels.len() < kept {
                innermost.commit().await.unwrap();
            } else {
                innermost.rollback().await.unwrap();
            }
        }
    }
    let kept =
        |prefix: &str, all: &[String]| all.iter().filter(|name| name.starts_with(prefix)).count();
    let all = names(db).await;
    let of = |kept_levels: &str| kept(&format!("{kept_levels} at"), &all);
    assert_eq!((of("0"), of("1"), of("5"), of("12")), (0, 0, 4, 11));
}

async fn an_import_leaves_out_who_is_there(db: &DatabaseConnection) {
    let new = import(db, &["ann", "house", "bob", "ann", "cyd"])
        .await
        .unwrap();
    assert_eq!(new, 3);
    assert_eq!(names(db).await, ["ann", "bob", "cyd", "house"]);
}

async fn fifty_transactions_one_after_the_other(db: &DatabaseConnection) {
    for turn in 0..50 {
        let tx = db.begin().await.unwrap();
        open(&tx, &format!("{turn}"), 0).await.unwrap();
        if turn % 2 == 0 {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
        }
    }
    assert_eq!(names(db).await.len(), 26);
}

async fn a_transaction_without_a_statement_is_fine(db: &DatabaseConnection) {
    db.begin().await.unwrap().commit().await.unwrap();
    db.begin().await.unwrap().rollback().await.unwrap();
    drop(db.begin().await.unwrap());
    let outer = db.begin().await.unwrap();
    outer.begin().await.unwrap().commit().await.unwrap();
    outer.commit().await.unwrap();
    assert_eq!(names(db).await, ["house"]);
}

async fn statements_sent_as_text_belong_to_their_transaction(db: &DatabaseConnection) {
    let sql = "INSERT INTO account (name, balance) VALUES ('ann', 1)";
    let tx = db.begin().await.unwrap();
    tx.execute_unprepared(sql).await.unwrap();
    tx.rollback().await.unwrap();
    let tx = db.begin().await.unwrap();
    tx.execute_unprepared(sql).await.unwrap();
    tx.execute_unprepared("SAVEPOINT mine").await.unwrap();
    tx.execute_unprepared("DELETE FROM account").await.unwrap();
    tx.execute_unprepared("ROLLBACK TO SAVEPOINT mine")
        .await
        .unwrap();
    tx.execute_unprepared("RELEASE SAVEPOINT mine")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(names(db).await, ["ann", "house"]);
}

in_every_place! {
    a_commit_keeps,
    a_rollback_undoes,
    a_transaction_that_is_dropped_is_undone,
    a_service_moves_all_or_nothing,
    an_inner_commit_follows_the_outer_rollback,
    an_inner_rollback_leaves_the_outer_one,
    twelve_levels_come_back_to_any_of_them,
    an_import_leaves_out_who_is_there,
    fifty_transactions_one_after_the_other,
    a_transaction_without_a_statement_is_fine,
    statements_sent_as_text_belong_to_their_transaction,
}
