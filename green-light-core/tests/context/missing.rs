//! Where there is no context, and what is said then.

use std::panic::catch_unwind;
use std::sync::{Arc, Mutex};

use green_light_core::context::{MissingContext, is_active, run_sync, try_wait, wait};
use green_light_core::runtime;

use crate::support::{block_on, pause};

#[test]
fn wait_panics_at_the_callers_line_with_help() {
    let place = Arc::new(Mutex::new(String::new()));
    let noted = Arc::clone(&place);
    let thrown = std::thread::spawn(move || {
        let before = std::panic::take_hook();
        let me = std::thread::current().id();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == me {
                *noted.lock().unwrap() = info.location().unwrap().file().to_owned();
            } else {
                before(info);
            }
        }));
        catch_unwind(|| wait(async {}))
    });
    let payload = thrown.join().unwrap().unwrap_err();
    let said = payload.downcast_ref::<String>().unwrap();
    assert!(
        said.starts_with("no green-light context on this thread\n  help: "),
        "{said}"
    );
    assert!(
        said.contains("`#[green_light::test]`") && said.contains("`context::run_sync("),
        "{said}"
    );
    assert_eq!(*place.lock().unwrap(), file!());
}

#[test]
fn a_spawned_task_has_no_context_and_gets_help() {
    let error: MissingContext = runtime::block_on(run_sync(|| {
        assert!(is_active());
        wait(tokio::spawn(async { try_wait(async {}).unwrap_err() })).unwrap()
    }))
    .unwrap();
    let said = error.to_string();
    assert!(
        said.starts_with("no green-light context in a spawned task"),
        "{said}"
    );
    assert!(
        said.contains("help: write `.await`") && said.contains("`LocalSet`"),
        "{said}"
    );
}

#[test]
fn a_local_task_has_none_either_but_may_bring_its_own() {
    let local = tokio::task::LocalSet::new();
    let got = block_on(local.run_until(async {
        let bare = tokio::task::spawn_local(async { try_wait(async {}).is_err() });
        let own = tokio::task::spawn_local(run_sync(|| wait(pause())));
        own.await.unwrap();
        bare.await.unwrap()
    }));
    assert!(got);
}

#[test]
fn another_coroutine_inside_a_context_cannot_suspend_it() {
    block_on(run_sync(|| {
        let mut inner = generator::Gn::<()>::new_scoped_local(|_| {
            assert!(!is_active());
            try_wait(async {}).unwrap_err().to_string()
        });
        let said = inner.next().unwrap();
        assert!(
            said.starts_with("this code runs on another coroutine's stack"),
            "{said}"
        );
        assert!(said.contains("\n  help: "), "{said}");
        assert!(is_active());
        wait(pause());
        // A context of its own may be polled there.
        let mut inner = generator::Gn::<()>::new_scoped_local(|_| {
            block_on_here(run_sync(|| {
                wait(pause());
                8
            }))
        });
        assert_eq!(inner.next(), Some(8));
        wait(pause());
    }));
}

fn block_on_here<F: Future>(future: F) -> F::Output {
    futures::executor::block_on(future)
}

#[test]
fn a_thread_made_inside_a_context_has_none() {
    block_on(run_sync(|| {
        let inner = std::thread::spawn(|| try_wait(async {}).is_err());
        assert!(inner.join().unwrap());
    }));
}
