//! Fixtures that take arguments, and fixtures that make a value for each use.
//!
//! ```sh
//! cargo test --example factories
//! ```
#![allow(
    dead_code,
    reason = "fixtures are used by the tests, which an example is built without"
)]

use green_light::prelude::*;

#[derive(Clone, Debug, PartialEq)]
struct User {
    id: u32,
    name: String,
    admin: bool,
}

/// One for all tests of this file, so that no two users of a run have the same number.
#[fixture(scope = "process")]
fn ids() -> std::sync::Arc<std::sync::atomic::AtomicU32> {
    std::sync::Arc::default()
}

/// What nobody says, the fixture says: `ann` is no admin.
#[fixture]
async fn user(
    ids: &std::sync::atomic::AtomicU32,
    #[default("ann".to_owned())] name: String,
    #[default(false)] admin: bool,
) -> User {
    let id = ids.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    User { id, name, admin }
}

#[fixture]
fn greeting(user: &User) -> String {
    format!("hello {}", user.name)
}

#[green_light::test]
async fn a_request_may_set_parameters(
    user: &User,
    #[from(user)]
    #[with(name = "root".to_owned(), admin = true)]
    root: &User,
    greeting: &str,
) {
    assert_eq!((&*root.name, root.admin), ("root", true));
    // A value of its own: the others in this test still share theirs.
    assert_eq!((&*user.name, greeting), ("ann", "hello ann"));
    assert_ne!(user.id, root.id);
}

/// Not `Clone`: a fresh value can be had as a whole.
struct Basket {
    owner: String,
    books: Vec<&'static str>,
}

#[fixture(fresh)]
async fn basket(user: &User, out: Yield<Basket>) {
    out.give(Basket {
        owner: user.name.clone(),
        books: Vec::new(),
    })
    .await;
    // Teardown, once for each use.
}

#[green_light::test]
async fn each_use_has_its_own(mut basket: Basket, #[from(basket)] other: &mut Basket) {
    basket.books.push("Emma");
    other.books.push("Ulysses");
    other.books.append(&mut basket.books);
    assert_eq!(other.books, ["Ulysses", "Emma"]);
    assert_eq!(basket.owner, other.owner);
}

#[green_light::test]
#[case("bob", false)]
#[case::root("root", true)]
async fn parameters_may_come_from_cases(
    #[case] name: &str,
    #[case] admin: bool,
    #[with(name = name.to_owned(), admin = admin)] user: &User,
) {
    assert_eq!((&*user.name, user.admin), (name, admin));
}

fn main() {}
