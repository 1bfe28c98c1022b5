//! Tests that do nothing, on green-light.

// Repeated.
#[green_light::test]
async fn test_0() {}
