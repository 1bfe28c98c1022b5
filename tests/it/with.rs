//! `#[default(..)]` parameters of fixtures, and `#[with(..)]` at those who request them.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use green_light::prelude::*;

#[derive(Clone, Debug, PartialEq)]
struct User {
    id: u32,
    name: String,
    age: u8,
}

#[fixture]
fn first_id() -> u32 {
    100
}

thread_local! {
    static ENDED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[fixture]
async fn user(
    first_id: u32,
    #[default("ann".to_owned())] name: String,
    #[default(30)] age: u8,
    out: Yield<User>,
) {
    let id = first_id + u32::from(age);
    let user = User { id, name, age };
    out.give(user.clone()).await;
    ENDED.with_borrow_mut(|ended| ended.push(user.name));
}

#[green_light::test]
fn defaults_are_what_nobody_sets(user: &User) {
    assert_eq!((&*user.name, user.age, user.id), ("ann", 30, 130));
}

#[fixture]
fn greeting(user: &User, #[default("hello")] word: &str) -> String {
    format!("{word} {}", user.name)
}

#[green_light::test]
async fn a_requester_gets_a_value_of_its_own(
    user: &User,
    #[from(user)]
    #[with(name = "bob".to_owned())]
    bob: &User,
    #[from(user)]
    #[with(age = 7, name = "eve".to_owned())]
    eve: User,
    greeting: &str,
    #[from(greeting)]
    #[with(word = "bye")]
    farewell: &str,
) {
    assert_eq!((&*user.name, user.age), ("ann", 30));
    assert_eq!((&*bob.name, bob.age), ("bob", 30));
    assert_eq!((&*eve.name, eve.age, eve.id), ("eve", 7, 107));
    // What others request is not that of this test's parameters.
    assert_eq!((greeting, farewell), ("hello ann", "bye ann"));
}

#[green_light::test(from(bob = user), with(bob(name = "bob".to_owned())))]
fn options_say_the_same(bob: &User) {
    assert_eq!(bob.name, "bob");
}

#[fixture]
fn watch(request: &Request) {
    request.on_teardown(async {
        assert_eq!(ENDED.take(), ["eve", "bob", "ann"]);
    });
}

#[green_light::test(uses(watch))]
fn each_is_torn_down(
    user: &User,
    #[from(user)]
    #[with(name = "bob".to_owned())]
    bob: &User,
    #[from(user)]
    #[with(name = "eve".to_owned())]
    eve: &User,
) {
    assert_ne!(user, bob);
    assert_ne!(bob, eve);
}

/// A fixture that is requested with arguments alone is not made without.
mod alone {
    use super::*;

    static MADE: AtomicU32 = AtomicU32::new(0);

    #[fixture]
    fn counted(#[default(0)] number: u32, first_id: u32) -> u32 {
        MADE.fetch_add(1, Ordering::Relaxed);
        number + first_id
    }

    #[fixture]
    fn dependent(#[with(number = 5)] counted: u32) -> u32 {
        counted
    }

    #[green_light::test]
    fn arguments_are_for_one_requester(
        #[with(number = 1)] counted: u32,
        dependent: u32,
        #[from(dependent)] again: u32,
    ) {
        assert_eq!((counted, dependent, again), (101, 105, 105));
        assert_eq!(MADE.load(Ordering::Relaxed), 2);
    }
}

/// Wide values with arguments last as long as their scope.
mod wide {
    use super::*;

    static MADE: AtomicU32 = AtomicU32::new(0);

    #[fixture(scope = "process")]
    async fn server(#[default(80)] port: u16, out: Yield<u16>) {
        MADE.fetch_add(1, Ordering::Relaxed);
        out.give(port).await;
    }

    #[fixture(scope = "process")]
    fn other(#[with(port = 8080)] server: u16) -> u16 {
        server
    }

    #[green_light::test]
    fn are_made_once_for_their_requester(server: u16, other: u16) {
        assert_eq!((server, other), (80, 8080));
        assert!(MADE.load(Ordering::Relaxed) <= 3);
    }

    #[green_light::test]
    fn are_made_once_for_all_its_tests(other: u16, #[with(port = 9090)] server: u16) {
        assert_eq!((server, other), (9090, 8080));
        assert!(MADE.load(Ordering::Relaxed) <= 3);
    }
}

mod with_cases {
    use super::*;

    #[green_light::test]
    #[case("bob", 3)]
    #[case("charlotte", 9)]
    async fn arguments_may_be_cases(
        #[case] name: &str,
        #[case] length: usize,
        #[with(name = name.to_owned(), age = u8::try_from(length).unwrap())] user: &User,
    ) {
        assert_eq!(user.name, name);
        assert_eq!((user.name.len(), usize::from(user.age)), (length, length));
    }

    #[rstest::rstest]
    #[case(7)]
    #[green_light::test(with(user(age = age, name = String::new())))]
    fn also_below_rstest(#[case] age: u8, #[ignore] user: &User) {
        assert_eq!((user.age, &*user.name), (age, ""));
    }
}

mod fresh {
    use super::*;

    struct Basket(Vec<u32>);

    #[fixture(fresh)]
    fn basket(#[default(Vec::new())] content: Vec<u32>, #[default(0)] _unused: u8) -> Basket {
        Basket(content)
    }

    #[green_light::test]
    fn factories_take_arguments(
        mut basket: Basket,
        #[from(basket)]
        #[with(content = vec![1, 2], unused = 3)]
        full: &mut Basket,
    ) {
        basket.0.push(0);
        full.0.append(&mut basket.0);
        assert_eq!(full.0, [1, 2, 0]);
    }
}
