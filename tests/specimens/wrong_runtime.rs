//! Code that runs in no runtime, in the wrong one, or in one too many.

use std::sync::Once;
use std::time::Duration;

use green_light::prelude::*;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{LocalSet, block_in_place, spawn_local};
use tokio::time::sleep;

#[green_light::test]
fn a_thread_is_in_no_runtime() {
    let thread = std::thread::spawn(|| drop(tokio::spawn(async {})));
    thread.join().expect("the thread ends");
}

#[green_light::test]
async fn b_a_task_is_explained_where_it_is_joined() -> Result<(), tokio::task::JoinError> {
    tokio::spawn(async { spawn_local(async {}) })
        .await
        .map(drop)
}

/// A socket of a runtime that ends with the thread.
async fn socket_of_another_runtime() -> std::io::Result<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let thread = std::thread::spawn(move || Runtime::new()?.block_on(TcpStream::connect(address)));
    thread.join().expect("the thread does not panic")
}

#[green_light::test]
async fn c_the_runtime_of_a_socket_has_ended() -> std::io::Result<()> {
    let mut socket = socket_of_another_runtime().await?;
    socket.read_u8().await.map(drop)
}

#[fixture]
fn connected() -> u16 {
    let connect = async { 80 };
    Runtime::new().expect("a runtime").block_on(connect)
}

#[green_light::test]
fn d_a_fixture_starts_a_runtime(connected: u16) {
    unreachable!("{connected}");
}

#[fixture(scope = "process")]
fn connected_once() -> u16 {
    let connect = async { 80 };
    Runtime::new().expect("a runtime").block_on(connect)
}

#[green_light::test]
fn e_a_shared_fixture_starts_a_runtime(connected_once: u16) {
    unreachable!("{connected_once}");
}

#[fixture]
fn owner() -> std::sync::Arc<Runtime> {
    Runtime::new().expect("a runtime").into()
}

#[green_light::test]
fn f_a_fixture_owns_a_runtime(owner: &std::sync::Arc<Runtime>) {
    let _ = owner;
}

#[green_light::test]
async fn g_a_local_set_cannot_block() {
    LocalSet::new()
        .run_until(async { block_in_place(|| ()) })
        .await;
}

#[green_light::test]
fn h_the_clock_is_shared() {
    tokio::time::pause();
}

#[green_light::test]
async fn i_a_runtime_has_no_timers() {
    let bare = Builder::new_current_thread().build().expect("a runtime");
    let made = {
        let _inside = bare.enter();
        std::panic::catch_unwind(|| sleep(Duration::ZERO))
    };
    bare.shutdown_background();
    if let Err(panic) = made {
        std::panic::resume_unwind(panic);
    }
}

#[green_light::test]
fn j_another_executor_is_nested() {
    use futures::executor::block_on;

    block_on(async { block_on(async {}) });
}

static ONCE: Once = Once::new();

#[green_light::test]
fn k_a_shared_value_panics() {
    ONCE.call_once(|| panic!("the first one to need it"));
}

#[green_light::test]
fn l_a_shared_value_is_poisoned() {
    ONCE.call_once(|| {});
}

#[green_light::test]
#[should_panic(expected = "requires the `current_thread` Tokio runtime")]
fn m_an_expected_panic_is_not_explained() {
    tokio::time::pause();
}

#[green_light::test]
fn n_an_application_speaks_for_itself() {
    panic!("the reactor is not running, and the pool is closed");
}
