//! insta and proptest in the body of a test.

use std::cell::Cell;

use green_light::prelude::*;
use proptest::prelude::*;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

#[derive(Debug, FromQueryResult)]
struct Row {
    number: i32,
}

async fn row(session: &Session, number: i32) -> Row {
    let backend = session.get_database_backend();
    let select = format!("SELECT {number} AS number");
    let statement = Statement::from_string(backend, select);
    let row = Row::find_by_statement(statement)
        .one(session.connection())
        .await;
    row.unwrap().unwrap()
}

#[green_light::test]
async fn a_snapshot_is_named_after_the_test(session: Session) {
    let row = row(&session, 1).await;
    insta::assert_debug_snapshot!(row);
}

#[green_light::test]
fn a_snapshot_of_a_sync_test(session: Session) {
    let row = green_light::wait(row(&session, 2));
    insta::assert_debug_snapshot!(row);
}

#[green_light::test]
async fn settings_of_insta_stay_with_the_test(session: Session) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_suffix("suffixed");
    let _bound = settings.bind_to_scope();
    let row = row(&session, 3).await;
    insta::assert_debug_snapshot!(row);
    insta::assert_debug_snapshot!(row.number, @"3");
}

#[green_light::test]
#[case(4)]
#[case(5)]
async fn a_snapshot_of_a_case(session: Session, #[case] number: i32) {
    let row = row(&session, number).await;
    insta::assert_debug_snapshot!(format!("case_{number}"), row);
}

#[green_light::test]
fn proptest_waits_for_the_database(session: Session) {
    let seen = Cell::new(0);
    proptest!(ProptestConfig::with_cases(20), |(number in any::<i16>())| {
        let row = green_light::wait(row(&session, number.into()));
        prop_assert_eq!(row.number, i32::from(number));
        seen.set(seen.get() + 1);
    });
    assert_eq!(seen.get(), 20);
}

#[green_light::test]
async fn proptest_in_an_async_test(session: Session) {
    proptest!(ProptestConfig::with_cases(20), |(number in any::<i16>())| {
        let row = green_light::wait(row(&session, number.into()));
        prop_assert_eq!(row.number, i32::from(number));
    });
}
