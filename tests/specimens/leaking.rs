//! What a test leaves running with its connection, by a plain `tokio::spawn`.

use std::future::pending;
use std::time::Duration;

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
use tokio::time::sleep;

async fn ask_again_and_again(db: DatabaseConnection) {
    loop {
        db.execute_unprepared("SELECT 1").await.unwrap();
        sleep(Duration::from_millis(5)).await;
    }
}

#[green_light::test]
async fn a_leaves_a_task_behind(session: Session) {
    let db = session.connection().clone();
    tokio::spawn(async move {
        let asking = || tokio::spawn(ask_again_and_again(db.clone()));
        // As a server does, it goes on when one of its tasks has panicked.
        let _ = asking().await;
        let _ = asking().await;
        pending::<()>().await;
    });
    sleep(Duration::from_millis(30)).await;
}

#[green_light::test]
async fn b_has_nothing_to_do_with_it(session: Session) {
    session.execute_unprepared("SELECT 1").await.unwrap();
    sleep(Duration::from_millis(200)).await;
    panic!("so that the output is shown");
}

#[green_light::test(isolation = database)]
async fn c_leaves_one_in_a_database_of_its_own(session: Session) {
    tokio::spawn(ask_again_and_again(session.connection().clone()));
    sleep(Duration::from_millis(30)).await;
}

#[green_light::test]
async fn d_comes_after_it() {
    sleep(Duration::from_millis(200)).await;
}

#[green_light::test]
async fn e_leaves_an_open_transaction(session: Session) {
    let db = session.connection().clone();
    tokio::spawn(async move {
        let transaction = db.begin().await.unwrap();
        transaction.execute_unprepared("SELECT 1").await.unwrap();
        pending::<()>().await;
    });
    sleep(Duration::from_millis(30)).await;
}
