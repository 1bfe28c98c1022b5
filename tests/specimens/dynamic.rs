//! Dynamic requests that cannot be answered.

use green_light::prelude::*;

#[fixture]
fn narrow() -> u32 {
    1
}

#[fixture(scope = "module")]
async fn wide(request: &Request) -> u32 {
    *request.get(narrow).await
}

#[green_light::test]
fn a_wider_fixture_asks_for_a_narrower(wide: &u32) {
    unreachable!("{wide}");
}

#[fixture]
async fn hen(request: &Request) -> u32 {
    *request.get(egg).await
}

#[fixture]
async fn egg(request: &Request) -> u32 {
    *request.get(self::hen).await
}

#[green_light::test]
fn b_cycle(hen: u32) {
    unreachable!("{hen}");
}

#[fixture(scope = "process")]
async fn moon(request: &Request) -> u32 {
    *request.get(tide).await
}

#[fixture(scope = "process")]
async fn tide(request: &Request) -> u32 {
    *request.get(self::moon).await
}

#[green_light::test]
fn c_cycle_of_shared_fixtures(moon: &u32) {
    unreachable!("{moon}");
}

#[fixture]
fn connection() -> Result<u32, std::io::Error> {
    Err(std::io::Error::other("connection refused"))
}

#[fixture]
fn user(connection: u32) -> u32 {
    connection
}

#[fixture]
async fn post(request: &Request) -> u32 {
    *request.get(user).await
}

#[green_light::test]
fn d_failed_fixture_behind_a_fixture(post: u32) {
    unreachable!("{post}");
}

#[green_light::test]
async fn e_failed_fixture_behind_a_body(request: &Request) {
    request.get(user).await;
}

#[green_light::test]
async fn f_handled_error(request: &Request) -> Result<(), Box<dyn std::error::Error>> {
    let error = request.try_get(user).await.unwrap_err();
    assert!(!error.is_skip());
    eprintln!("{error}");
    // Kept like a value: the body does not run again.
    request.try_get(user).await?;
    Ok(())
}

#[fixture(scope = "process")]
async fn shared() -> Result<u32, String> {
    Err("no luck".to_owned())
}

#[green_light::test]
fn g_shared_failure(shared: &u32) {
    unreachable!("{shared}");
}

#[green_light::test]
async fn h_shared_failure_that_is_known(request: &Request) {
    request.get(shared).await;
}

#[green_light::test]
async fn i_request_in_a_teardown(request: &Request) {
    let request = request.clone();
    request.clone().on_teardown(async move {
        request.get(narrow).await;
    });
}

#[fixture(around)]
async fn around(next: Next<'_>, request: &Request) -> Outcome {
    match request.try_get(narrow).await {
        Ok(_) => next.run().await,
        Err(error) => Outcome::failed(error),
    }
}

#[green_light::test(uses(around))]
fn j_request_of_an_around_fixture() {}

#[green_light::test]
async fn k_request_for_an_around_fixture(request: &Request) {
    request.get(around).await;
}

#[fixture]
fn not_here() {
    green_light::skip("not here");
}

#[green_light::test]
async fn l_skipped_fixture(request: &Request) {
    request.get(not_here).await;
}

#[fixture(scope = "process")]
async fn clock() -> u32 {
    1
}

#[green_light::test(start_paused)]
async fn m_paused_clock(clock: &u32) {
    unreachable!("{clock}");
}

#[green_light::test(start_paused)]
async fn n_paused_clock_and_a_request(request: &Request) {
    request.get(clock).await;
}

#[fixture]
async fn east(request: &Request) -> u32 {
    tokio::task::yield_now().await;
    *request.get(west).await
}

#[fixture]
async fn west(request: &Request) -> u32 {
    tokio::task::yield_now().await;
    *request.get(self::east).await
}

#[green_light::test]
async fn o_set_ups_at_the_same_time_that_wait_for_each_other(request: &Request) {
    let both = tokio::join!(request.try_get(east), request.try_get(west));
    if let (Err(east), Err(west)) = both {
        panic!("east: {east}\nwest: {west}");
    }
}
