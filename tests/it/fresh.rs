//! `#[fixture(fresh)]`: a value for each use.

use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use green_light::prelude::*;

/// Neither `Clone` nor shared.
#[derive(Debug)]
struct Counter {
    name: &'static str,
    count: u32,
}

thread_local! {
    static ENDED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

#[fixture]
fn base() -> u32 {
    10
}

#[fixture(fresh)]
async fn counter(base: u32) -> Counter {
    Counter {
        name: "fresh",
        count: base,
    }
}

/// Two uses in one test have two values.
#[green_light::test]
async fn each_use_has_its_own(counter: Counter, #[from(counter)] mut other: Counter) {
    other.count += counter.count;
    assert_eq!((counter.count, other.count), (10, 20));
    assert_eq!(counter.name, other.name);
}

#[green_light::test]
async fn may_be_changed(counter: &mut Counter, #[from(counter)] untouched: &Counter) {
    counter.count += 1;
    tokio::task::yield_now().await;
    counter.count += 1;
    assert_eq!((counter.count, untouched.count), (12, 10));
}

#[green_light::test]
fn may_be_changed_by_synchronous_code(counter: &mut Counter, counter_of_ten: Counter) {
    counter.count += counter_of_ten.count;
    assert_eq!(counter.count, 20);
}

#[fixture(fresh)]
fn counter_of_ten(mut counter: Counter) -> Result<Counter, String> {
    counter.count = 10;
    Ok(counter)
}

#[fixture]
fn doubled(counter: &mut Counter, #[from(counter)] other: &mut Counter) -> u32 {
    counter.count += other.count;
    other.count = 0;
    counter.count
}

#[green_light::test]
fn fixtures_use_it_too(doubled: u32, #[from(doubled)] again: u32, counter: &Counter) {
    assert_eq!((doubled, again, counter.count), (20, 20, 10));
}

static NEXT: Mutex<u32> = Mutex::new(0);

#[fixture(fresh)]
async fn numbered(out: Yield<Box<u32>>) {
    let number = {
        let mut next = NEXT.lock().unwrap();
        *next += 1;
        *next
    };
    out.give(Box::new(number)).await;
    ENDED.with_borrow_mut(|ended| ended.push(number));
}

#[fixture]
fn watch(request: &Request) {
    request.on_teardown(async {
        let ended = ENDED.take();
        assert_eq!(ended.len(), 3);
        assert!(ended.is_sorted_by(|a, b| a > b), "{ended:?}");
    });
}

/// `watch` is set up first, so it sees the others end.
#[green_light::test(uses(watch))]
async fn each_use_is_torn_down_in_reverse(
    numbered: Box<u32>,
    #[from(numbered)] second: &u32,
    #[from(numbered)] third: &mut Box<u32>,
) {
    assert!(*numbered < *second && *second < **third);
    **third = 0;
    drop(numbered);
}

#[green_light::test]
async fn a_dynamic_request_is_a_use(request: &Request, counter: &mut Counter) {
    counter.count = 0;
    let one = request.get(self::counter).await;
    let other = request.get(self::counter).await;
    assert_eq!((one.count, other.count), (10, 10));
    assert!(!std::ptr::eq(&raw const *one, &raw const *other));
}

static USED: AtomicU32 = AtomicU32::new(0);

#[fixture(fresh)]
fn side_effect() -> u32 {
    USED.fetch_add(1, Ordering::Relaxed)
}

#[fixture]
fn needs_one(side_effect: u32) -> u32 {
    side_effect
}

/// One for the test, none for a request that nobody made.
#[green_light::test(uses(side_effect))]
fn is_made_for_those_who_use_it(needs_one: u32) {
    assert_eq!(USED.load(Ordering::Relaxed), 2);
    assert!(needs_one < 2);
}

mod overridden {
    use super::{Counter, base, counter, doubled};
    use green_light::prelude::*;

    #[fixture(fresh, overrides = counter)]
    fn other_counter(#[from(counter)] mut counter: Counter, base: u32) -> Counter {
        counter.count += base;
        counter
    }

    #[green_light::test]
    fn an_override_is_fresh_too(counter: &mut Counter, doubled: u32) {
        counter.count += 1;
        assert_eq!((counter.count, doubled), (21, 40));
    }
}
