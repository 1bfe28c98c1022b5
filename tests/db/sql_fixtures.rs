//! SQL files that are run for some tests, as `#[sqlx::test(fixtures("users", "posts"))]` does.

use green_light::prelude::*;
use sea_orm::DbErr;

use crate::schema::number;

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    Schema::sql(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER NOT NULL REFERENCES users (id), title TEXT);",
    )
}

green_light::sql_fixtures! {
    users = "scripts/users.sql",
    /// The posts of these users: they refer to them.
    pub posts = "scripts/posts.sql",
}

const USERS: &str = "SELECT count(*) FROM users";
const POSTS: &str = "SELECT count(*) FROM posts";

#[green_light::test(uses(users, posts))]
async fn run_in_the_order_in_which_the_test_names_them(session: Session) -> Result<(), DbErr> {
    assert_eq!(number(&session, USERS).await?, 2);
    assert_eq!(number(&session, POSTS).await?, 1);
    Ok(())
}

#[green_light::test(uses(users))]
async fn run_for_those_that_ask_for_them(session: Session) -> Result<(), DbErr> {
    assert_eq!(number(&session, USERS).await?, 2);
    assert_eq!(number(&session, POSTS).await?, 0);
    Ok(())
}

#[green_light::test]
async fn do_not_run_for_others(session: Session) -> Result<(), DbErr> {
    assert_eq!(number(&session, USERS).await?, 0);
    Ok(())
}

#[green_light::test]
async fn are_fixtures_like_others(session: Session, users: (), posts: ()) -> Result<(), DbErr> {
    assert_eq!((users, posts), ((), ()));
    assert_eq!(number(&session, POSTS).await?, 1);
    Ok(())
}
