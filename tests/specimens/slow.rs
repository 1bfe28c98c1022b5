//! A fixture that is dear to make, which is worth a word where each test makes it.

use std::time::Duration;

use green_light::prelude::*;

#[fixture(scope = "process")]
async fn dear() -> u32 {
    tokio::time::sleep(Duration::from_millis(1050)).await;
    1
}

#[green_light::test]
fn uses_it(dear: &u32) {
    assert_eq!(*dear, 1);
}
