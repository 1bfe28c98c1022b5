//! Tests that do nothing, through rstest.

use rstest::rstest;

// Repeated.
#[rstest]
#[tokio::test]
async fn test_0() {}
