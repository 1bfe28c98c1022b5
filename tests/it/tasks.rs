//! Tasks that belong to a test: `green_light::spawn`.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use green_light::prelude::*;
use green_light::spawn;
use sea_orm::{ConnectionTrait, TransactionTrait};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::sleep;

/// How many tasks hold a [`Place`]. None does when this fixture ends.
#[derive(Clone, Debug, Default)]
struct Places(Arc<AtomicUsize>);

impl Places {
    fn take(&self) -> Place {
        self.0.fetch_add(1, Ordering::SeqCst);
        Place(self.clone())
    }

    fn taken(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Held by a task while it lives.
struct Place(Places);

impl Drop for Place {
    fn drop(&mut self) {
        // Something that takes its time must have ended too.
        std::thread::sleep(Duration::from_millis(20));
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[fixture]
async fn places(out: Yield<Places>) {
    let places = Places::default();
    out.give(places.clone()).await;
    assert_eq!(places.taken(), 0, "a task goes on after its test");
}

async fn endless(_place: Place) {
    pending::<()>().await;
}

#[green_light::test]
async fn a_task_ends_before_the_fixtures_of_its_test(places: Places) {
    spawn(endless(places.take()));
    let handle: JoinHandle<()> = spawn(endless(places.take()));
    assert!(!handle.is_finished());
}

#[green_light::test]
fn one_of_a_synchronous_body_too(places: Places) {
    spawn(endless(places.take()));
}

#[green_light::test]
async fn one_that_has_not_been_polled_too(places: Places) {
    for _ in 0..100 {
        let place = places.clone();
        spawn(async move {
            let _place = place.take();
            yield_now().await;
        });
    }
}

#[green_light::test]
async fn a_handle_gives_what_the_task_returns_and_can_abort_it(places: Places) {
    assert_eq!(spawn(async { 7 }).await.unwrap(), 7);
    let handle = spawn(endless(places.take()));
    handle.abort();
    assert!(handle.await.unwrap_err().is_cancelled());
    assert_eq!(places.taken(), 0);
}

#[green_light::test]
fn a_task_goes_on_while_the_body_blocks_its_thread() {
    let (tell, told) = mpsc::channel();
    spawn(async move {
        sleep(Duration::from_millis(1)).await;
        tell.send("from the task").unwrap();
    });
    assert_eq!(told.recv(), Ok("from the task"));
}

#[green_light::test(context = false)]
async fn it_works_without_a_context(places: Places) {
    spawn(endless(places.take()));
}

#[green_light::test]
async fn a_task_of_a_task_belongs_to_the_same_test(places: Places) {
    let inner = places.clone();
    let (spawned, is_spawned) = oneshot::channel();
    spawn(async move {
        spawn(endless(inner.take()));
        let place = inner.take();
        spawned.send(()).unwrap();
        endless(place).await;
    });
    is_spawned.await.unwrap();
    assert_eq!(places.taken(), 2);
}

/// Spawns a task when it is dropped.
struct SpawnsAtItsEnd(Places);

impl Drop for SpawnsAtItsEnd {
    fn drop(&mut self) {
        spawn(endless(self.0.take()));
    }
}

#[green_light::test]
async fn a_task_that_is_spawned_by_the_end_of_another_ends_too(places: Places) {
    let last = SpawnsAtItsEnd(places);
    spawn(async move {
        let _last = last;
        pending::<()>().await;
    });
}

#[green_light::test]
fn a_thread_of_blocking_spawns_for_its_test(places: Places) {
    let place = places.take();
    green_light::blocking(move || spawn(endless(place)));
}

#[green_light::test]
fn members_of_a_crowd_spawn_for_their_test(places: Places, crowd: Crowd) {
    for _ in 0..10 {
        let places = places.clone();
        crowd.spawn(move |member| {
            spawn(endless(places.take()));
            let place = places.take();
            // The body may have ended by then.
            member.wait(async {
                sleep(Duration::from_millis(2)).await;
                spawn(endless(place));
            });
            spawn(endless(places.take()));
        });
    }
}

#[green_light::test(runtime = "current_thread")]
async fn a_runtime_of_its_own_runs_the_tasks_on_the_thread_of_the_test(places: Places) {
    let test = std::thread::current().id();
    let task = spawn(async { std::thread::current().id() });
    assert_eq!(task.await.unwrap(), test);
    spawn(endless(places.take()));
}

#[green_light::test(start_paused)]
async fn tasks_have_the_clock_of_their_test(places: Places) {
    let begun = tokio::time::Instant::now();
    spawn(endless(places.take()));
    spawn(sleep(Duration::from_secs(3600))).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(3600));
}

#[green_light::test]
async fn what_a_task_makes_belongs_to_the_shared_runtime(places: Places) {
    let place = places.take();
    let before = tokio::runtime::Handle::current().id();
    let (inside, plain) = spawn(async move {
        let _place = place;
        let plain = tokio::spawn(async { tokio::runtime::Handle::current().id() });
        (tokio::runtime::Handle::current().id(), plain.await.unwrap())
    })
    .await
    .unwrap();
    assert_eq!((inside, plain), (before, before));
}

/// Ends its task by itself, in its own teardown.
#[fixture]
async fn worker(places: Places, out: Yield<Arc<Notify>>) {
    let place = places.take();
    let (stop, stopped) = oneshot::channel::<()>();
    let asked = Arc::new(Notify::new());
    let ask = Arc::clone(&asked);
    let working = spawn(async move {
        let _place = place;
        asked.notified().await;
        stopped.await.unwrap();
        "ended when it was asked to"
    });
    out.give(ask).await;
    stop.send(()).unwrap();
    assert_eq!(working.await.unwrap(), "ended when it was asked to");
}

#[green_light::test]
async fn a_task_of_a_fixture_is_there_until_its_teardown_has_ended(worker: Arc<Notify>) {
    spawn(async move { worker.notify_one() }).await.unwrap();
}

/// Leaves the end to green-light.
#[fixture]
async fn forgotten(places: Places) -> u32 {
    spawn(endless(places.take()));
    7
}

#[green_light::test]
async fn a_task_of_a_fixture_ends_before_what_the_fixture_depends_on(forgotten: &u32) {
    assert_eq!(*forgotten, 7);
}

/// A server for all tests, without a teardown of its own.
#[fixture(scope = "process")]
async fn adder() -> tokio::sync::mpsc::Sender<(u32, oneshot::Sender<u32>)> {
    let (ask, mut asked) = tokio::sync::mpsc::channel::<(u32, oneshot::Sender<u32>)>(8);
    spawn(async move {
        while let Some((number, answer)) = asked.recv().await {
            let _ = answer.send(number + 1);
        }
    });
    ask
}

macro_rules! asks {
    ($($name:ident)*) => {$(
        #[green_light::test]
        async fn $name(adder: &tokio::sync::mpsc::Sender<(u32, oneshot::Sender<u32>)>) {
            let (answer, answered) = oneshot::channel();
            adder.send((1, answer)).await.unwrap();
            assert_eq!(answered.await.unwrap(), 2);
        }
    )*};
}

asks!(a_task_of_a_process_fixture_serves_this_test and_that_test);

#[green_light::test]
async fn a_task_gives_the_session_back_before_the_session_ends(session: Session) {
    let (begun, has_begun) = oneshot::channel();
    let inner = session.clone();
    spawn(async move {
        let transaction = inner.begin().await.unwrap();
        transaction.execute_unprepared("SELECT 1").await.unwrap();
        begun.send(()).unwrap();
        pending::<()>().await;
        drop(transaction);
    });
    // Ended with an open transaction: nothing holds the connection of the test at its end.
    has_begun.await.unwrap();
}

#[green_light::test]
async fn a_task_may_use_the_session_to_the_last_moment(session: Session) {
    let inner = session.connection().clone();
    let (begun, has_begun) = oneshot::channel();
    spawn(async move {
        inner.execute_unprepared("SELECT 1").await.unwrap();
        begun.send(()).unwrap();
        loop {
            inner.execute_unprepared("SELECT 1").await.unwrap();
        }
    });
    has_begun.await.unwrap();
}

#[test]
#[should_panic(expected = "call it in a `#[green_light::test]`")]
fn outside_of_a_test_it_says_where_it_works() {
    drop(spawn(async {}));
}

#[green_light::test]
async fn in_a_plain_task_it_says_what_to_do() {
    let ended = tokio::spawn(async { drop(spawn(async {})) }).await;
    let said = ended
        .unwrap_err()
        .into_panic()
        .downcast::<String>()
        .unwrap();
    assert!(
        said.contains("spawn it with `green_light::spawn` as well"),
        "{said}"
    );
}
