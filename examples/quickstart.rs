//! A first test in one file, and synchronous code that waits. Run it with `cargo test --example quickstart`.
#![expect(
    unreachable_pub,
    reason = "entities are public where users have them, in a library"
)]
#![cfg_attr(
    not(test),
    expect(unused_imports, reason = "an example is built without its tests, too")
)]

use green_light::prelude::*;

mod user {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "user")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique)]
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::entities(|tables| tables.register(user::Entity))
}

use sea_orm::{ActiveModelTrait, DatabaseConnection, DbErr, EntityTrait, PaginatorTrait, Set};

/// Your application: it knows nothing of tests.
async fn sign_up(db: &DatabaseConnection, name: &str) -> Result<user::Model, DbErr> {
    user::ActiveModel {
        name: Set(name.to_owned()),
        ..Default::default()
    }
    .insert(db)
    .await
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
async fn and_the_next_test_sees_nothing_of_it(session: Session) -> Result<(), DbErr> {
    assert_eq!(user::Entity::find().count(&session).await?, 0);
    Ok(())
}

use green_light::{try_wait, wait};

#[green_light::test]
fn synchronous_code_waits_too(session: Session, ann: &user::Model) {
    /// A user that is gone when this value goes: an async drop.
    struct Guest(DatabaseConnection, i32);

    impl Drop for Guest {
        fn drop(&mut self) {
            let _ = try_wait(user::Entity::delete_by_id(self.1).exec(&self.0));
        }
    }

    let bob = wait(sign_up(&session, "bob")).unwrap();
    let guest = Guest(session.connection().clone(), bob.id);
    assert_eq!(wait(user::Entity::find().count(&session)).unwrap(), 2);
    drop(guest);
    let left = wait(user::Entity::find().all(&session)).unwrap();
    assert_eq!(left.first(), Some(ann));
    assert_eq!(left.len(), 1);
}

fn main() {}
