//! `serial_test`, above and below: a fixture is set up either way, and the lock covers it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use green_light::prelude::*;
use serial_test::{file_serial, parallel, serial};

static INSIDE: AtomicUsize = AtomicUsize::new(0);

/// Fails if two tests have it at once.
#[fixture]
async fn alone(out: Yield<String>) -> Result<(), String> {
    if INSIDE.fetch_add(1, Ordering::SeqCst) != 0 {
        return Err("two tests at once".to_owned());
    }
    tokio::time::sleep(Duration::from_millis(5)).await;
    out.give("alone".to_owned()).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    INSIDE.fetch_sub(1, Ordering::SeqCst);
    Ok(())
}

#[serial]
#[green_light::test]
async fn above_an_async_test(alone: &str) {
    assert_eq!(alone, "alone");
}

#[serial_test::serial]
#[green_light::test]
async fn above_one_that_returns(alone: String) -> Result<(), Box<dyn std::error::Error>> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(alone, "alone");
    Ok(())
}

#[serial]
#[green_light::test]
fn above_a_sync_test(alone: &str) {
    assert_eq!(alone, "alone");
}

#[serial]
#[green_light::test]
fn above_a_sync_one_that_returns(mut alone: String) -> Result<(), String> {
    alone.push('!');
    assert_eq!(alone, "alone!");
    Ok(())
}

#[green_light::test]
#[serial]
async fn below_an_async_test(alone: &str) {
    assert_eq!(alone, "alone");
}

#[green_light::test]
#[serial]
fn below_a_sync_test(alone: &str) -> Result<(), String> {
    assert_eq!(alone, "alone");
    Ok(())
}

/// The value is not used, so nothing in the body would tell that it is missing.
#[serial]
#[green_light::test]
async fn above_a_test_that_does_not_use_it(_alone: &str) {
    assert_eq!(INSIDE.load(Ordering::SeqCst), 1);
}

#[serial(other, another)]
#[green_light::test]
async fn above_with_names() {
    assert!(serial_test::is_locked_serially(Some("other")));
    assert!(serial_test::is_locked_serially(Some("another")));
}

#[green_light::test]
#[serial(other)]
async fn below_with_a_name() {
    assert!(serial_test::is_locked_serially(Some("other")));
}

#[parallel]
#[green_light::test]
async fn above_parallel(request: &Request) {
    assert_eq!(request.test_name(), Some("above_parallel"));
}

#[file_serial(neighbours)]
#[green_light::test]
async fn above_with_a_file(session: Session) {
    session.ping().await.unwrap();
}

#[green_light::test]
#[file_serial(neighbours)]
async fn below_with_a_file(session: Session) {
    session.ping().await.unwrap();
}

#[green_light::test]
#[serial]
#[case(1)]
#[case(2)]
async fn below_with_cases(#[case] number: u32, alone: &str) {
    assert!(number > 0 && alone == "alone");
}

#[serial]
#[green_light::test]
#[case(1)]
#[case(2)]
async fn above_with_cases(#[case] number: u32, alone: &str) {
    assert!(number > 0 && alone == "alone");
}

#[green_light::test(backends(sqlite))]
#[serial]
async fn below_with_backends(session: Session, alone: &str) {
    session.ping().await.unwrap();
    assert_eq!(alone, "alone");
}

#[serial]
#[green_light::test]
#[should_panic(expected = "on purpose")]
async fn above_should_panic(alone: &str) {
    panic!("on purpose, {alone}");
}

#[green_light::test]
#[cfg_attr(all(), serial)]
async fn under_a_condition(alone: &str) {
    assert_eq!(alone, "alone");
}

macro_rules! serial_tests {
    ($($name:ident)*) => {$(
        #[serial]
        #[green_light::test]
        async fn $name(alone: &str) {
            assert_eq!(alone, "alone");
        }
    )*};
}

serial_tests!(made_by_a_macro made_by_a_macro_too);
