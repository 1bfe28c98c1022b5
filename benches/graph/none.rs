//! The same tests without a fixture, to be taken away from those with.

// Repeated.
#[green_light::test]
async fn test_0() {
    let (order, customer) = (0_usize, 0_usize);
    assert_eq!(order + customer, 0);
}
