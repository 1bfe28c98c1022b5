//! Queries and transactions at the same time: joined, spawned, raced.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use sea_orm::{DatabaseConnection, DbErr, TransactionTrait as _};

use super::{
    bank::{account, accounts, audit, book, is_unique, open, transfer},
    transactions::names,
};

async fn joined_inserts_all_arrive(db: &DatabaseConnection) {
    let open_some = async |name: &str| {
        for n in 0..15 {
            open(db, &format!("{name} {n}"), 0).await?;
        }
        Ok::<_, DbErr>(())
    };
    futures::try_join!(open_some("a"), open_some("b"), open_some("c")).unwrap();
    assert_eq!(names(db).await.len(), 46);
}

async fn joined_transactions_take_turns(db: &DatabaseConnection) {
    let ann = open(db, "ann", 100).await.unwrap();
    let bob = open(db, "bob", 0).await.unwrap();
    let three = || transfer(db, ann, bob, 3);
    futures::try_join!(three(), three(), three(), three(), three()).unwrap();
    assert_eq!(
        (audit(db, ann).await.unwrap(), audit(db, bob).await.unwrap()),
        (-15, 15)
    );
}

async fn spawned_transfers_lose_nothing(db: &DatabaseConnection) {
    let ann = open(db, "ann", 1000).await.unwrap();
    let bob = open(db, "bob", 0).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                for amount in 1..=5 {
                    transfer(&db, ann, bob, amount).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let expected = [("ann", 880), ("bob", 120), ("house", 1000)];
    assert_eq!(
        accounts(db).await.unwrap(),
        expected.map(|(name, is)| (name.to_owned(), is))
    );
    assert_eq!(audit(db, bob).await.unwrap(), 120);
}

async fn one_of_many_gets_the_name(db: &DatabaseConnection) {
    let tasks: Vec<_> = (0..6)
        .map(|n| {
            let db = db.clone();
            tokio::spawn(async move { open(&db, "ann", n).await })
        })
        .collect();
    let mut opened = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => opened += 1,
            Err(error) => assert!(is_unique(&error), "{error}"),
        }
    }
    assert_eq!(opened, 1);
    assert_eq!(names(db).await, ["ann", "house"]);
}

async fn errors_of_one_task_are_not_those_of_another(db: &DatabaseConnection) {
    let good = async {
        for n in 0..20 {
            open(db, &format!("{n}"), 0).await?;
        }
        Ok::<_, DbErr>(())
    };
    let bad = async {
        for _ in 0..20 {
            let error = open(db, "house", 0).await.unwrap_err();
            assert!(is_unique(&error), "{error}");
            let tx = db.begin().await.unwrap();
            open(&tx, "undone", 0).await.unwrap();
            open(&tx, "house", 0).await.unwrap_err();
            drop(tx);
        }
    };
    let (good, ()) = futures::join!(good, bad);
    good.unwrap();
    assert_eq!(names(db).await.len(), 21);
}

async fn buffered_queries_answer_their_own_question(db: &DatabaseConnection) {
    let answers: Vec<(i64, i64)> = stream::iter(0..30_i64)
        .map(|n| async move {
            let id = open(db, &format!("{n}"), n).await?;
            let found = <account::Entity as sea_orm::EntityTrait>::find_by_id(id)
                .one(db)
                .await?;
            Ok::<_, DbErr>((n, found.unwrap().balance))
        })
        .buffer_unordered(5)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(answers.len(), 30);
    assert!(answers.iter().all(|(asked, answered)| asked == answered));
}

async fn the_slower_of_two_is_dropped_and_undone(db: &DatabaseConnection) {
    for _ in 0..10 {
        let (wrote, has_written) = tokio::sync::oneshot::channel();
        let slow = async {
            let tx = db.begin().await.unwrap();
            open(&tx, "slow", 0).await.unwrap();
            wrote.send(()).unwrap();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = slow => unreachable!("it waits for ever"),
            written = has_written => written.unwrap(),
        }
        assert_eq!(names(db).await, ["house"]);
    }
}

async fn readers_and_writers_at_the_same_time(db: &DatabaseConnection) {
    let ann = open(db, "ann", 0).await.unwrap();
    let writer = async {
        for _ in 0..20 {
            book(db, ann, 1).await.unwrap();
        }
    };
    let reader = async || {
        let mut before = 0;
        for _ in 0..20 {
            let now = audit(db, ann).await.unwrap();
            assert!(now >= before, "{now} after {before}");
            before = now;
        }
    };
    futures::join!(writer, reader(), reader());
    assert_eq!(audit(db, ann).await.unwrap(), 20);
}

async fn a_transaction_moves_between_tasks(db: &DatabaseConnection) {
    let mut tx = db.begin().await.unwrap();
    for n in 0..4 {
        let task = tokio::spawn(async move {
            open(&tx, &format!("{n}"), 0).await.unwrap();
            tx
        });
        tx = task.await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(names(db).await.len(), 5);
}

in_every_place! {
    joined_inserts_all_arrive,
    joined_transactions_take_turns,
    spawned_transfers_lose_nothing,
    one_of_many_gets_the_name,
    errors_of_one_task_are_not_those_of_another,
    buffered_queries_answer_their_own_question,
    the_slower_of_two_is_dropped_and_undone,
    readers_and_writers_at_the_same_time,
    a_transaction_moves_between_tasks,
}
