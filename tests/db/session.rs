//! Every test has a session of its own, and nothing of another's.

use std::{cell::Cell, rc::Rc};

use green_light::{prelude::*, try_wait, wait};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DbErr, IsolationLevel, TransactionTrait,
};

use crate::schema::number;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE u (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)")
}

const COUNT: &str = "SELECT count(*) FROM u";

async fn application(db: &DatabaseConnection) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    tx.execute_unprepared("INSERT INTO u (email) VALUES ('ann')")
        .await?;
    tx.commit().await
}

#[fixture]
async fn ann(session: &Session) -> Result<i64, DbErr> {
    application(session).await?;
    number(session, "SELECT id FROM u WHERE email = 'ann'").await
}

/// The same test many times: each inserts the same unique row with the same id.
macro_rules! same_again {
    ($($name:ident)*) => {$(
        #[green_light::test]
        async fn $name(session: Session, ann: i64) -> Result<(), DbErr> {
            assert_eq!(ann, 1);
            assert!(application(&session).await.is_err());
            assert_eq!(number(&session, COUNT).await?, 1);
            Ok(())
        }
    )*};
}

same_again!(a_test b_test c_test d_test e_test f_test g_test h_test);

#[green_light::test]
fn a_synchronous_test_waits(session: Session, ann: i64) {
    assert_eq!(wait(number(&session, COUNT)).unwrap(), ann);
}

#[green_light::test]
async fn a_spawned_task_shares_the_session(session: Session) {
    let db = session.connection().clone();
    tokio::spawn(async move { application(&db).await })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(number(&session, COUNT).await.unwrap(), 1);
}

/// Not `Send`, as values of a test may be.
struct Guest {
    session: Session,
    dropped: Rc<Cell<bool>>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let deleted = try_wait(self.session.execute_unprepared("DELETE FROM u"));
        assert!(matches!(deleted, Ok(Ok(_))), "{deleted:?}");
        self.dropped.set(true);
    }
}

#[green_light::test]
async fn a_drop_may_use_the_session(session: Session, ann: i64) {
    assert_eq!(ann, 1);
    let dropped = Rc::new(Cell::new(false));
    drop(Guest {
        session: session.clone(),
        dropped: Rc::clone(&dropped),
    });
    assert!(dropped.get());
    assert_eq!(number(&session, COUNT).await.unwrap(), 0);
}

#[green_light::test]
#[should_panic(expected = "as a failing assertion does")]
async fn a_panic_with_an_open_transaction_leaves_nothing(session: Session) {
    let tx = session.begin().await.unwrap();
    tx.execute_unprepared("INSERT INTO u (email) VALUES ('ann')")
        .await
        .unwrap();
    panic!("as a failing assertion does");
}

#[green_light::test]
async fn sqlite_has_neither_isolation_levels_nor_access_modes(
    session: Session,
) -> Result<(), DbErr> {
    let (level, mode) = (IsolationLevel::Serializable, AccessMode::ReadOnly);
    let tx = session.begin_with_config(Some(level), Some(mode)).await?;
    tx.execute_unprepared("INSERT INTO u (email) VALUES ('ann')")
        .await?;
    tx.commit().await?;
    assert_eq!(number(&session, COUNT).await?, 1);
    Ok(())
}
