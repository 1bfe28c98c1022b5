//! The same tests on tokio, in a binary that links the same crates.

use green_light as _;

// Repeated.
#[tokio::test]
async fn test_0() {
    let mut names = vec!["bob".to_owned(), "ann".to_owned()];
    names.sort();
    tokio::task::yield_now().await;
    assert_eq!(names.len(), 2);
    assert!(names[0] < names[1], "{names:?} are sorted");
}
