//! Errors of the database in the middle of things: what they take along, and what goes on.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqlErr,
    TransactionTrait as _,
};

use super::{
    bank::{audit, book, import, is_unique, open},
    transactions::names,
};

const WRONG: [&str; 6] = [
    "SELEKT 1",
    "SELECT nothing FROM account",
    "SELECT 1 FROM nowhere",
    "INSERT INTO account (name, balance) VALUES ('house', 1)",
    "INSERT INTO account (name, balance) VALUES ('broke', -1)",
    "INSERT INTO entry (account, amount) VALUES (4711, 1)",
];

async fn the_next_query_works_after_any_error(db: &DatabaseConnection) {
    open(db, "before", 0).await.unwrap();
    for turn in 0..3 {
        for sql in WRONG {
            db.execute_unprepared(sql).await.map(drop).unwrap_err();
            assert_eq!(names(db).await.len(), 2 + turn, "after `{sql}`");
        }
        open(db, &format!("turn {turn}"), 0).await.unwrap();
    }
}

async fn errors_are_what_they_are_in_production(db: &DatabaseConnection) {
    let unique = open(db, "house", 0).await.unwrap_err();
    assert!(is_unique(&unique), "{unique}");
    let foreign = book(db, 4711, 1).await.unwrap_err();
    let is_foreign = matches!(
        foreign.sql_err(),
        Some(SqlErr::ForeignKeyConstraintViolation(_))
    );
    assert!(is_foreign, "{foreign}");
    let check = open(db, "broke", -1).await.unwrap_err();
    assert!(check.sql_err().is_none(), "{check}");
}

/// On PostgreSQL an error ends the transaction that it happens in, elsewhere the statement alone.
async fn expect_as_in_production(tx: &DatabaseTransaction) {
    let after = open(tx, "after", 0).await;
    match tx.get_database_backend() {
        DbBackend::Postgres => {
            let error = after.unwrap_err().to_string();
            assert!(error.contains("current transaction is aborted"), "{error}");
        }
        _ => after.map(drop).unwrap(),
    }
}

async fn an_error_in_a_transaction_and_its_rollback(db: &DatabaseConnection) {
    for sql in WRONG {
        let tx = db.begin().await.unwrap();
        open(&tx, "in", 0).await.unwrap();
        tx.execute_unprepared(sql).await.map(drop).unwrap_err();
        expect_as_in_production(&tx).await;
        tx.rollback().await.unwrap();
        assert_eq!(names(db).await, ["house"], "after `{sql}`");
    }
}

async fn an_error_in_a_transaction_that_is_dropped(db: &DatabaseConnection) {
    let service = async || -> Result<(), DbErr> {
        let tx = db.begin().await?;
        open(&tx, "in", 0).await?;
        let nested = tx.begin().await?;
        open(&nested, "nested", 0).await?;
        let innermost = nested.begin().await?;
        open(&innermost, "house", 0).await?;
        innermost.commit().await?;
        nested.commit().await?;
        tx.commit().await
    };
    for _ in 0..5 {
        let error = service().await.unwrap_err();
        assert!(is_unique(&error), "{error}");
        assert_eq!(names(db).await, ["house"]);
    }
}

async fn an_error_in_a_nested_transaction_leaves_the_outer_one(db: &DatabaseConnection) {
    let outer = db.begin().await.unwrap();
    open(&outer, "outer", 0).await.unwrap();
    for (turn, sql) in WRONG.into_iter().enumerate() {
        let inner = outer.begin().await.unwrap();
        open(&inner, "inner", 0).await.unwrap();
        inner.execute_unprepared(sql).await.map(drop).unwrap_err();
        if turn % 2 == 0 {
            inner.rollback().await.unwrap();
        } else {
            drop(inner);
        }
        assert_eq!(names(&outer).await, ["house", "outer"], "after `{sql}`");
    }
    outer.commit().await.unwrap();
    assert_eq!(names(db).await, ["house", "outer"]);
}

async fn an_error_two_levels_down_is_taken_back_one_level_up(db: &DatabaseConnection) {
    let outer = db.begin().await.unwrap();
    let middle = outer.begin().await.unwrap();
    open(&middle, "middle", 0).await.unwrap();
    let inner = middle.begin().await.unwrap();
    open(&inner, "house", 0).await.map(drop).unwrap_err();
    drop(inner);
    middle.rollback().await.unwrap();
    open(&outer, "outer", 0).await.unwrap();
    outer.commit().await.unwrap();
    assert_eq!(names(db).await, ["house", "outer"]);
}

async fn an_import_that_fails_in_the_middle_imports_nothing(db: &DatabaseConnection) {
    let long = "x".repeat(400);
    let names_in = ["ann", "house", "bob\0", &long];
    // A zero byte is refused by PostgreSQL, a long name by MySQL.
    match db.get_database_backend() {
        DbBackend::Sqlite => assert_eq!(import(db, &["ann", "house"]).await.unwrap(), 1),
        _ => {
            import(db, &names_in).await.unwrap_err();
            assert_eq!(names(db).await, ["house"]);
            assert_eq!(import(db, &["ann", "house"]).await.unwrap(), 1);
        }
    }
    assert_eq!(names(db).await, ["ann", "house"]);
}

async fn entries_before_an_error_of_their_own_stay(db: &DatabaseConnection) {
    let ann = open(db, "ann", 0).await.unwrap();
    for n in 1..=10 {
        book(db, ann, n).await.unwrap();
        book(db, 4711, n).await.unwrap_err();
    }
    assert_eq!(audit(db, ann).await.unwrap(), 55);
}

in_every_place! {
    the_next_query_works_after_any_error,
    errors_are_what_they_are_in_production,
    an_error_in_a_transaction_and_its_rollback,
    an_error_in_a_transaction_that_is_dropped,
    an_error_in_a_nested_transaction_leaves_the_outer_one,
    an_error_two_levels_down_is_taken_back_one_level_up,
    an_import_that_fails_in_the_middle_imports_nothing,
    entries_before_an_error_of_their_own_stay,
}
