//! Tasks that go wrong, and what the test says about it.

use std::future::pending;
use std::sync::mpsc;
use std::thread;

use green_light::prelude::*;
use green_light::spawn;

#[green_light::test]
async fn a_task_panics_and_nobody_waits_for_it() {
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    spawn(async move {
        println!("printed by the task of this test");
        let _tell = tell;
        panic!("out of stock");
    });
    let _ = told.await;
}

#[green_light::test]
async fn b_task_panics_and_its_handle_was_awaited() {
    let ended = spawn(async { panic!("out of stock") }).await;
    assert!(ended.unwrap_err().is_panic());
}

#[green_light::test]
async fn c_body_and_task_panic() {
    spawn(async { panic!("in the task") }).await.unwrap();
}

#[green_light::test]
async fn d_what_tasks_print_is_shown_with_their_test() {
    spawn(async { println!("printed by the task of a test that fails") })
        .await
        .unwrap();
    panic!("so that the output is shown");
}

#[green_light::test]
async fn e_what_tasks_print_is_not_shown_for_a_test_that_passes() {
    spawn(async { println!("never to be seen") }).await.unwrap();
}

#[green_light::test]
async fn f_task_blocks_its_thread() {
    let (keep, never) = mpsc::channel::<()>();
    spawn(async move { never.recv() });
    std::mem::forget(keep);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
}

struct PanicsAtItsEnd;

impl Drop for PanicsAtItsEnd {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("in a destructor of the task");
        }
    }
}

#[green_light::test]
async fn g_task_panics_when_it_is_aborted() {
    let last = PanicsAtItsEnd;
    spawn(async move {
        let _last = last;
        pending::<()>().await;
    });
}

#[fixture]
async fn server() -> u32 {
    let _ = spawn(async { panic!("the server is down") }).await;
    7
}

#[green_light::test]
fn h_task_of_a_fixture_panics(server: &u32) {
    assert_eq!(*server, 7);
}

#[green_light::test]
#[should_panic(expected = "out of stock")]
async fn i_panic_in_a_task_is_one_of_the_body() {
    let _ = spawn(async { panic!("out of stock") }).await;
}

#[green_light::test(xfail)]
async fn j_panic_in_a_task_may_be_expected() {
    let _ = spawn(async { panic!("out of stock") }).await;
}

#[green_light::test]
async fn k_plain_task_cannot_spawn() {
    tokio::spawn(async { drop(spawn(async {})) }).await.unwrap();
}

#[green_light::test(timeout = "50ms")]
async fn l_tasks_end_though_the_body_was_cancelled() {
    spawn(async { panic!("out of time") });
    pending::<()>().await;
}

#[fixture(scope = "process")]
async fn worker() -> u32 {
    let _ = spawn(async { panic!("the worker is gone") }).await;
    7
}

#[green_light::test]
fn m_task_of_a_process_fixture_panics(worker: &u32) {
    assert_eq!(*worker, 7);
}
