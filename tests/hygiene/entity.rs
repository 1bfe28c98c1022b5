//! Fixtures beside modules, types and macros of the same name, as entity modules are.

use green_light::prelude::*;

mod user {
    #[derive(Clone, Debug, PartialEq)]
    pub(super) struct Model {
        pub(super) name: String,
    }
}

#[allow(
    non_camel_case_types,
    reason = "the type namespace is not the value namespace"
)]
#[derive(Clone, Debug)]
struct post {
    author: user::Model,
}

#[fixture]
async fn user() -> user::Model {
    user::Model {
        name: "ann".to_owned(),
    }
}

#[fixture]
fn post(user: &user::Model) -> post {
    let user = user.clone();
    post { author: user }
}

#[green_light::test]
async fn injects_beside_a_module(user: &user::Model, post: post) {
    let author = post.author;
    let post = "no pattern, but a new local";
    let user = user.clone();
    assert_eq!(author, user);
    assert!(post.starts_with("no pattern"));
}
