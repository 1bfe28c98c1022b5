//! Other kinds of tests in the same binary, left alone.

use rstest::rstest;

#[test]
fn a_plain_test_has_no_context() {
    assert!(!green_light::context::is_active());
    assert!(
        !support::greeted(),
        "autouse fixtures reach green-light's tests only"
    );
}

#[tokio::test]
async fn a_tokio_test_keeps_its_runtime() {
    let flavor = tokio::runtime::Handle::current().runtime_flavor();
    assert_eq!(flavor, tokio::runtime::RuntimeFlavor::CurrentThread);
}

#[rstest]
#[case(1, 2)]
#[case(2, 4)]
fn an_rstest_keeps_its_cases(#[case] number: u32, #[case] twice: u32) {
    assert_eq!(number * 2, twice);
}

#[rstest::fixture]
fn theirs() -> u32 {
    7
}

#[rstest]
fn an_rstest_keeps_its_fixtures(theirs: u32) {
    assert_eq!(theirs, 7);
}

#[green_light::test]
fn and_ours_run_beside_them() {
    assert!(green_light::context::is_active());
}
