//! Attributes that start a log: `test_log::test`, `tracing_test::traced_test`, `tracing::instrument`.

use green_light::prelude::*;

#[fixture]
fn number() -> u32 {
    7
}

#[test_log::test]
#[green_light::test]
async fn test_log_above(number: u32) {
    tracing::info!(number, "it is");
    assert_eq!(number, 7);
}

#[test_log::test(green_light::test)]
async fn test_log_around(number: u32) -> Result<(), String> {
    tracing::info!(number, "it is");
    assert_eq!(number, 7);
    Ok(())
}

#[test_log::test(green_light::test)]
fn test_log_around_a_sync_test(session: Session, number: &u32) {
    green_light::wait(session.ping()).unwrap();
    assert_eq!(*number, 7);
}
