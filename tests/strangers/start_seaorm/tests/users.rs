//! The tests that the guide shows.

use green_light::prelude::*;
use sea_orm::{DbErr, EntityTrait, PaginatorTrait};
use shop::{sign_up, user};

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::entities(|tables| tables.register(user::Entity))
}

#[fixture]
async fn ann(session: &Session) -> Result<user::Model, DbErr> {
    sign_up(session, "ann").await
}

#[green_light::test]
async fn a_name_is_taken_once(session: Session, ann: &user::Model) -> Result<(), DbErr> {
    assert!(sign_up(&session, &ann.name).await.is_err());
    assert_eq!(user::Entity::find().count(&session).await?, 1);
    Ok(())
}

#[green_light::test]
async fn the_next_test_finds_no_users(session: Session) -> Result<(), DbErr> {
    assert_eq!(user::Entity::find().count(&session).await?, 0);
    Ok(())
}
