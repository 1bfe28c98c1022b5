#[cfg(test)]
#[allow(unused_imports)]
use super::limit as __green_light_saves_0;
#[::rstest::rstest]
#[case(1)]
#[case::last(2)]
#[::green_light::test(
    timeout = "5s",
    __handed,
    __group = saves,
    __from(most = __green_light_saves_0),
    __with(),
    __given(most:u32)
)]
#[instrument]
async fn saves(#[case] most: u32, #[case] title: &str, #[ignore] session: Session) {
    session.save(title, most).await;
}
