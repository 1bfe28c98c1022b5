//! What runs after a test, and in which order. Failing teardowns are in `specimens`.

use std::sync::{Arc, Mutex};

use green_light::prelude::*;

type Log = Arc<Mutex<Vec<String>>>;

/// Checks the whole order of its test when it is dropped, which is after all other teardown.
struct Checked {
    log: Log,
    expected: &'static [&'static str],
}

impl Drop for Checked {
    fn drop(&mut self) {
        let log = std::mem::take(&mut *self.log.lock().unwrap());
        if !std::thread::panicking() {
            assert_eq!(log, self.expected);
        }
    }
}

#[fixture]
fn log() -> Checked {
    Checked {
        log: Log::default(),
        expected: &[
            "body",
            "second, after give",
            "second, step 2",
            "second, step 1",
            "first, after give",
            "first dropped",
        ],
    }
}

struct First(Log);

impl Drop for First {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("first dropped".to_owned());
    }
}

#[fixture]
async fn first(log: &Checked, out: Yield<First>) {
    out.give(First(log.log.clone())).await;
    tokio::task::yield_now().await;
    log.log.lock().unwrap().push("first, after give".to_owned());
}

#[fixture]
async fn second(first: &First, request: &Request, out: Yield<u32>) -> Result<(), std::io::Error> {
    for step in 1..=2 {
        let log = first.0.clone();
        request.on_teardown(async move {
            tokio::task::yield_now().await;
            log.lock().unwrap().push(format!("second, step {step}"));
        });
    }
    out.give(2).await;
    first
        .0
        .lock()
        .unwrap()
        .push("second, after give".to_owned());
    Ok(())
}

#[green_light::test]
async fn runs_in_reverse_order_of_set_up(log: &Checked, second: u32) {
    assert_eq!(second, 2);
    log.log.lock().unwrap().push("body".to_owned());
}

#[fixture]
fn expecting_two() -> Checked {
    Checked {
        log: Log::default(),
        expected: &["b", "a"],
    }
}

#[green_light::test]
fn a_test_may_register_steps_of_its_own(expecting_two: &Checked, request: &Request) {
    for step in ["a", "b"] {
        let log = expecting_two.log.clone();
        request.on_teardown(async move { log.lock().unwrap().push(step.to_owned()) });
    }
}
