//! Tests that do nothing, each on a runtime of its own.

// Repeated.
#[tokio::test]
async fn test_0() {}
