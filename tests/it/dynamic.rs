//! Fixtures that are requested while a test runs. What cannot be had is in `specimens`.

use std::cell::RefCell;
use std::rc::Rc;

use green_light::FixtureRef;
use green_light::prelude::*;

type Log = Rc<RefCell<Vec<&'static str>>>;

#[fixture]
async fn log(out: Yield<Log>) {
    let log = Log::default();
    out.give(Rc::clone(&log)).await;
    assert_eq!(
        log.take(),
        [
            "first set up",
            "second set up",
            "body",
            "second torn down",
            "first torn down"
        ]
    );
}

#[fixture]
async fn first(log: &Log, out: Yield<u32>) {
    log.borrow_mut().push("first set up");
    out.give(1).await;
    log.borrow_mut().push("first torn down");
}

#[fixture]
async fn second(log: &Log, request: &Request, out: Yield<u32>) {
    let first = request.get(first).await;
    log.borrow_mut().push("second set up");
    out.give(*first + 1).await;
    log.borrow_mut().push("second torn down");
}

#[green_light::test]
async fn ends_in_reverse_order_of_its_set_up(log: &Log, request: &Request) {
    let second = request.get(second).await;
    log.borrow_mut().push("body");
    assert_eq!((*second, *request.get(first).await), (2, 1));
}

#[fixture]
fn unique() -> RefCell<u32> {
    RefCell::default()
}

#[fixture]
async fn asks(request: &Request) -> FixtureRef<RefCell<u32>> {
    let unique = request.get(unique).await;
    *unique.borrow_mut() += 1;
    unique
}

#[green_light::test]
async fn is_the_value_of_everybody_else(asks: &FixtureRef<RefCell<u32>>, request: &Request) {
    let unique = request.get(unique).await;
    *unique.borrow_mut() += 1;
    assert_eq!(*asks.borrow(), 2);
}

#[green_light::test]
async fn is_the_value_of_the_plan(unique: &RefCell<u32>, request: &Request) {
    *request.get(self::unique).await.borrow_mut() = 7;
    assert_eq!(*unique.borrow(), 7);
}

#[green_light::test]
async fn may_overlap(request: &Request) {
    let (one, two) = tokio::join!(request.get(asks), request.get(unique));
    assert_eq!(*one.borrow(), 1);
    assert!(std::ptr::eq(&**one, &*two));
}

#[green_light::test]
fn is_awaited_in_synchronous_code(request: &Request) {
    assert_eq!(*green_light::wait(request.get(unique)).borrow(), 0);
}

#[green_light::test]
async fn is_in_no_plan(unique: &RefCell<u32>, request: &Request) {
    assert_eq!(*unique.borrow(), 0);
    // A crate of fixtures has an autouse one for every test of this binary.
    assert_eq!(request.fixture_names(), ["greeting", "unique"]);
    request.get(asks).await;
    assert_eq!(request.fixture_names(), ["greeting", "unique", "asks"]);
}

struct Lazy(Request);

#[fixture]
fn lazy(request: &Request) -> Lazy {
    Lazy(request.clone())
}

#[green_light::test]
async fn works_after_the_set_up_of_who_asks(lazy: &Lazy) {
    assert_eq!(lazy.0.fixture_name(), Some("lazy"));
    assert_eq!(*lazy.0.get(unique).await.borrow(), 0);
}

mod overridden {
    use green_light::prelude::*;

    #[fixture(scope = "process")]
    pub(super) fn url() -> &'static str {
        "outer"
    }

    #[fixture(scope = "process")]
    pub(super) async fn server(request: &Request, out: Yield<String>) {
        let url = request.get(url).await;
        out.give(format!("server at {}", *url)).await;
        // In a teardown, what has been had can still be had.
        assert!(format!("server at {}", *request.get(self::url).await).len() > 9);
    }

    #[fixture]
    pub(super) async fn page(request: &Request) -> String {
        format!("page of {}", *request.get(server).await)
    }
}

#[green_light::test]
async fn is_looked_up_from_the_test(request: &Request) {
    let page = request.get(overridden::page).await;
    assert_eq!(*page, "page of server at outer");
}

mod with_an_override {
    use green_light::prelude::*;

    use super::overridden;

    #[fixture(overrides = overridden::url, scope = "process")]
    async fn url(#[from(overridden::url)] outer: &&'static str, request: &Request) -> &'static str {
        // While it is being built, its own name means what it overrides.
        assert_eq!(*request.get(overridden::url).await, *outer);
        "inner"
    }

    #[green_light::test]
    async fn is_looked_up_from_this_test(request: &Request) {
        let page = request.get(overridden::page).await;
        assert_eq!(*page, "page of server at inner");
    }

    #[green_light::test]
    async fn stays_apart_from_what_others_share(request: &Request) {
        let server = request.get(overridden::server).await;
        assert_eq!(*server, "server at inner");
    }
}

#[fixture]
async fn holds(unique: &RefCell<u32>) -> Result<u32, &'static str> {
    struct Held<'a>(&'a RefCell<u32>);
    impl Drop for Held<'_> {
        fn drop(&mut self) {
            *self.0.borrow_mut() += 1;
        }
    }
    let _held = Held(unique);
    Err("it fails")
}

#[green_light::test]
async fn a_failed_set_up_drops_what_it_holds(unique: &RefCell<u32>, request: &Request) {
    let error = request.try_get(holds).await.unwrap_err();
    assert!(error.to_string().starts_with("it fails\n"), "{error}");
    assert_eq!(*unique.borrow(), 1);
    // The failure is kept; nothing runs again.
    request.try_get(holds).await.unwrap_err();
    assert_eq!(*unique.borrow(), 1);
}

#[fixture(scope = "process")]
async fn north(request: &Request) -> u32 {
    tokio::task::yield_now().await;
    *request.get(south).await
}

#[fixture(scope = "process")]
async fn south(request: &Request) -> u32 {
    tokio::task::yield_now().await;
    *request.get(north).await
}

#[green_light::test]
async fn shared_set_ups_at_the_same_time_do_not_wait_for_each_other(request: &Request) {
    let (one, two) = tokio::join!(request.try_get(north), request.try_get(south));
    for error in [one.unwrap_err(), two.unwrap_err()] {
        assert!(error.to_string().starts_with("fixture cycle: `"), "{error}");
    }
}

#[fixture]
async fn once(out: Yield<RefCell<u32>>) {
    tokio::task::yield_now().await;
    out.give(RefCell::new(0)).await;
}

#[fixture]
async fn also(request: &Request) -> u32 {
    *request.get(once).await.borrow_mut() += 1;
    0
}

#[green_light::test]
async fn requests_at_the_same_time_wait_for_one_set_up(request: &Request) {
    let (one, two, _) = tokio::join!(request.get(once), request.get(once), request.get(also));
    assert!(std::ptr::eq(&*one, &*two));
    assert_eq!(*one.borrow(), 1);
}
