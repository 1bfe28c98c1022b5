//! What a test runs on: `runtime`, `start_paused`, `local`; and what it tells its fixtures: `meta`.

use std::rc::Rc;
use std::time::Duration;

use green_light::Scope;
use green_light::prelude::*;
use green_light::wait;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::{Instant, sleep};

fn flavor() -> RuntimeFlavor {
    Handle::current().runtime_flavor()
}

#[fixture(scope = "module")]
async fn shared(out: Yield<RuntimeFlavor>) {
    sleep(Duration::from_millis(1)).await;
    out.give(flavor()).await;
    sleep(Duration::from_millis(1)).await;
}

#[fixture]
async fn own(out: Yield<RuntimeFlavor>) {
    sleep(Duration::from_millis(1)).await;
    out.give(flavor()).await;
    sleep(Duration::from_millis(1)).await;
}

#[green_light::test]
async fn runs_on_the_shared_runtime(own: &RuntimeFlavor) {
    assert_eq!(*own, RuntimeFlavor::MultiThread);
    assert_eq!(flavor(), RuntimeFlavor::MultiThread);
}

#[green_light::test(runtime = "shared")]
fn may_say_so() {
    assert_eq!(flavor(), RuntimeFlavor::MultiThread);
}

#[green_light::test(runtime = "current_thread")]
async fn may_have_a_runtime_of_its_own(own: &RuntimeFlavor, shared: &RuntimeFlavor) {
    assert_eq!(*own, RuntimeFlavor::CurrentThread);
    assert_eq!(*shared, RuntimeFlavor::MultiThread);
    let here = std::thread::current().id();
    let there = tokio::spawn(async { std::thread::current().id() });
    assert_eq!(there.await.unwrap(), here);
}

#[green_light::test(runtime = "current_thread")]
fn waits_on_a_runtime_of_its_own() {
    wait(sleep(Duration::from_millis(1)));
}

#[fixture(scope = "module")]
fn plain() -> u32 {
    // Long enough for a paused clock to jump to the deadline, if it were to.
    std::thread::sleep(Duration::from_millis(20));
    3
}

#[green_light::test(start_paused, timeout = "60m")]
async fn a_paused_clock_jumps(own: &RuntimeFlavor, plain: &u32) {
    assert_eq!(*own, RuntimeFlavor::CurrentThread);
    assert_eq!(*plain, 3);
    let began = Instant::now();
    sleep(Duration::from_secs(60)).await;
    // It stands still but for that.
    assert!(began.elapsed() < Duration::from_secs(61));
}

#[green_light::test(start_paused)]
fn a_paused_clock_jumps_in_synchronous_code_too() {
    let began = Instant::now();
    wait(sleep(Duration::from_secs(60)));
    assert!(began.elapsed() < Duration::from_secs(61));
}

#[green_light::test(start_paused, timeout = "10m", xfail = "strict")]
async fn a_timeout_counts_the_time_of_the_paused_clock() {
    sleep(Duration::from_secs(3600)).await;
}

#[green_light::test(local)]
async fn local_tasks_need_not_be_send() {
    let value = Rc::new(7);
    let task = tokio::task::spawn_local(async move { *value });
    assert_eq!(task.await.unwrap(), 7);
    assert_eq!(flavor(), RuntimeFlavor::MultiThread);
}

#[green_light::test(local, runtime = "current_thread")]
fn local_tasks_go_on_while_synchronous_code_waits() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    tokio::task::spawn_local(async move {
        tokio::task::yield_now().await;
        sender.send(Rc::new(7)).unwrap();
    });
    assert_eq!(*wait(receiver).unwrap(), 7);
}

#[fixture]
fn rows(request: &Request) -> usize {
    request.meta("rows").map_or(1, |rows| rows.parse().unwrap())
}

#[green_light::test(meta(rows = 3, table = "authors", strict = true))]
fn tells_its_fixtures_about_itself(rows: usize, request: &Request) {
    assert_eq!(rows, 3);
    assert_eq!(request.meta("table"), Some("authors"));
    assert_eq!(request.meta("strict"), Some("true"));
    assert_eq!(request.meta("else"), None);
}

#[green_light::test]
fn need_not(rows: usize) {
    assert_eq!(rows, 1);
}

#[fixture(scope = "process")]
fn about_no_test(request: &Request) -> bool {
    assert_eq!(request.scope(), Scope::Process);
    assert_eq!(request.fixture_name(), Some("about_no_test"));
    request.meta("rows").is_none()
        && request.test_name().is_none()
        && request.fixture_names().is_empty()
}

#[green_light::test(meta(rows = 3))]
fn a_shared_fixture_is_told_nothing(about_no_test: &bool, request: &Request) {
    assert!(about_no_test);
    assert_eq!(request.scope(), Scope::Test);
    assert_eq!(
        request.test_name(),
        Some("a_shared_fixture_is_told_nothing")
    );
    assert_eq!(request.module_path(), module_path!());
    assert_eq!(request.fixture_name(), None);
    assert_eq!(request.fixture_names(), ["about_no_test", "greeting"]);
}

/// Tells when it is dropped.
struct Told(std::sync::mpsc::Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.send(()).unwrap();
    }
}

static TOLD: std::sync::Mutex<Option<Told>> = std::sync::Mutex::new(None);

#[green_light::test(runtime = "current_thread")]
async fn leaves_a_task() {
    // Nothing is there if libtest calls it; the test below does, too.
    let told = TOLD.lock().unwrap().take();
    tokio::spawn(async move {
        let _told = told;
        std::future::pending::<()>().await;
    });
}

#[test]
fn tasks_end_with_a_runtime_of_their_own() {
    let (sender, ended) = std::sync::mpsc::channel();
    *TOLD.lock().unwrap() = Some(Told(sender));
    leaves_a_task();
    ended.try_recv().unwrap();
}
