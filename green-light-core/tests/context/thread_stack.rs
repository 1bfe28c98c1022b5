//! A context on the stack of its thread, whose executor runs on a coroutine.

use std::cell::Cell;
use std::future::{Future, pending};
use std::hint::black_box;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::process;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{join, join_all};
use green_light_core::context::{
    CancelToken, Limits, beside_thread_stack, call_on_thread_stack, is_active,
    is_cancelled_payload, on_thread_stack, run_sync, try_wait, wait, wait_named,
};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local, yield_now};
use tokio::time::{sleep, timeout};

use crate::overflow::{assert_aborted, endless};
use crate::support::{Log, OnDrop, block_on, in_child, pause, text};

/// Drives `main` as the runner does, on a coroutine beside the stack of this thread.
fn beside<F: Future<Output: 'static> + 'static>(main: impl FnOnce() -> F + 'static) -> F::Output {
    beside_thread_stack(|| block_on(main()), |_| process::abort())
}

/// Runs `body` as the runner does that of a test.
fn body<T: 'static>(body: impl FnOnce() -> T + 'static) -> T {
    beside(|| on_thread_stack(body))
}

/// What a plain test of this thread would see.
fn left() -> usize {
    stacker::remaining_stack().expect("known on this system")
}

/// How much less is left here than outside.
fn used_since(outside: usize) -> usize {
    outside
        .checked_sub(left())
        .expect("less is left further in")
}

#[test]
fn a_body_has_the_stack_of_its_thread() {
    let outside = left();
    let here = thread::current().id();
    let used = body(move || {
        assert_eq!(thread::current().id(), here);
        assert!(is_active());
        let before = used_since(outside);
        wait(sleep(Duration::from_millis(1)));
        let below = wait(async move {
            yield_now().await;
            used_since(outside)
        });
        [before, used_since(outside), below]
    });
    assert!(used.iter().all(|used| *used < 64 << 10), "{used:?}");
    assert!(!is_active());
}

#[test]
fn a_context_of_run_sync_has_a_stack_of_its_own() {
    let (here, there) = body(|| {
        let here = address();
        let there = wait(run_sync(address));
        (here, there)
    });
    assert!(here.abs_diff(there) > 64 << 10, "{here:#x} {there:#x}");
}

#[inline(never)]
fn address() -> usize {
    let marker = 0_u8;
    std::ptr::from_ref(black_box(&marker)).addr()
}

#[test]
fn a_body_may_use_as_much_stack_as_a_plain_test() {
    for megabytes in [2, 8] {
        let thread = thread::Builder::new().stack_size(megabytes << 20);
        let deep = move || {
            let outside = left();
            assert!(outside > (megabytes << 20) - (64 << 10), "{outside}");
            // All but 64 KiB of it.
            body(move || {
                wait(yield_now());
                recurse_until(64 << 10)
            })
        };
        let frames = thread.spawn(deep).unwrap().join().unwrap();
        assert!(frames > megabytes << 8, "{frames}");
    }
}

/// Recurses until so few bytes are left, and says how often.
fn recurse_until(few: usize) -> usize {
    let frame = black_box([0_u8; 512]);
    if left() < few {
        return usize::from(frame[0]);
    }
    1 + recurse_until(few) + usize::from(black_box(frame)[1])
}

#[test]
fn a_wait_works_on_more_stack_that_stacker_gives() {
    let got = body(|| {
        stacker::grow(1 << 20, || {
            let one = wait(async {
                sleep(Duration::from_millis(1)).await;
                1
            });
            one + wait(run_sync(|| wait(async { 2 })))
        })
    });
    assert_eq!(got, 3);
}

#[test]
fn the_executor_is_no_context_and_gets_the_output() {
    let got = beside(|| async {
        assert!(try_wait(async {}).is_err());
        let got = on_thread_stack(|| wait(async { 5 })).await;
        assert!(!is_active());
        got
    });
    assert_eq!(got, 5);
}

#[test]
fn one_at_a_time_has_it_and_others_get_stacks_of_their_own() {
    let sum: usize = beside(|| async {
        let contexts = (0..100_usize).map(|index| {
            on_thread_stack(move || {
                wait(sleep(Duration::from_millis(1)));
                index + usize::from(!generator::is_generator()) * 1_000_000
            })
        });
        join_all(contexts).await.into_iter().sum()
    });
    assert_eq!(sum, 4950 + 1_000_000);
    // One after the other has it, too.
    beside(|| async {
        for _ in 0..3 {
            assert!(on_thread_stack(|| !generator::is_generator()).await);
        }
        let nested = on_thread_stack(|| wait(on_thread_stack(generator::is_generator))).await;
        assert!(
            nested,
            "a context that is not polled by the executor itself"
        );
    });
    // And without one that keeps it free, none does.
    assert!(block_on(on_thread_stack(generator::is_generator)));
}

#[test]
fn contexts_nest_in_both_kinds() {
    let sum = body(|| {
        let one = wait(async {
            sleep(Duration::from_millis(1)).await;
            1
        });
        let ten = wait(run_sync(move || {
            wait(sleep(Duration::from_millis(1)));
            one + wait(run_sync(|| wait(async { 9 })))
        }));
        let hundred = wait(async {
            // A wait inside a poll of another wait.
            wait(sleep(Duration::from_millis(1)));
            90 + wait(async { ten })
        });
        hundred + 1
    });
    assert_eq!(sum, 101);
    // A thread's stack inside that of a coroutine is the coroutine's.
    let got = block_on(run_sync(|| {
        wait(async { beside_thread_stack(|| try_wait(async { 1 }), |_| process::abort()) })
    }));
    assert_eq!(got.unwrap(), 1);
}

#[test]
fn a_panic_reaches_the_executor_and_then_the_caller() {
    let value = Rc::new(());
    let inside = Rc::clone(&value);
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        body(move || {
            let _inside = inside;
            wait(run_sync(|| wait(async { panic!("deep") })))
        })
    }));
    assert_eq!(thrown.unwrap_err().downcast_ref(), Some(&"deep"));
    assert_eq!(Rc::strong_count(&value), 1);
    let thrown = catch_unwind(|| beside(|| async { panic!("of the executor") }));
    assert_eq!(thrown.unwrap_err().downcast_ref(), Some(&"of the executor"));
    // A caught one leaves it usable.
    let got = body(|| {
        assert!(catch_unwind(|| wait(async { panic!("once") })).is_err());
        wait(sleep(Duration::from_millis(1)));
        5
    });
    assert_eq!(got, 5);
}

#[test]
fn a_timeout_around_it_unwinds_the_stack() {
    let log = Log::default();
    let inside = log.clone();
    let late = beside(move || async move {
        let (outer, inner) = (inside.clone(), inside.clone());
        let body = on_thread_stack(move || {
            let _outer = OnDrop(move || {
                // In place: its owner does not poll any more.
                wait(pause());
                outer.say("outer");
            });
            wait(run_sync(move || {
                let _inner = OnDrop(move || inner.say("inner"));
                wait(pending::<()>());
            }));
        });
        let late = timeout(Duration::from_millis(5), body).await.is_err();
        inside.say("dropped");
        late
    });
    assert!(late);
    assert_eq!(log.lines(), ["inner", "outer", "dropped"]);
    assert!(!thread::panicking());
}

#[test]
fn a_drop_while_the_thread_panics_unwinds_it_too() {
    let log = Log::default();
    let inside = log.clone();
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        beside(move || async move {
            let mut context = Box::pin(on_thread_stack(move || {
                let _end = OnDrop(move || {
                    let got = wait(async {
                        pause().await;
                        4
                    });
                    inside.say(format!("got {got}"));
                });
                wait(pending::<()>());
            }));
            assert!(futures::poll!(context.as_mut()).is_pending());
            panic!("outside");
        })
    }));
    assert!(thrown.is_err());
    assert_eq!(log.lines(), ["got 4"]);
}

#[test]
fn a_deadline_unwinds_it_and_destructors_suspend_as_usual() {
    let log = Log::default();
    let inside = log.clone();
    let ended = beside(move || async move {
        let token = CancelToken::new();
        let beside = inside.clone();
        let (begun, sees) = oneshot::channel();
        let (answers, answer) = oneshot::channel();
        let watching = async move {
            sees.await.unwrap();
            beside.say("beside");
            answers.send(()).unwrap();
        };
        let (mut begun, mut answer) = (Some(begun), Some(answer));
        let body = token.scope(on_thread_stack(move || {
            let _end = OnDrop(move || {
                inside.say("begin");
                begun.take().unwrap().send(()).unwrap();
                wait(answer.take().unwrap()).unwrap();
                inside.say("end");
            });
            wait(run_sync(|| wait(pending::<()>())));
        }));
        let cancel = async {
            sleep(Duration::from_millis(5)).await;
            token.cancel();
        };
        let body = AssertUnwindSafe(body).catch_unwind();
        let (ended, ((), ())) = join(body, join(watching, cancel)).await;
        ended.is_err_and(|payload| is_cancelled_payload(&*payload))
    });
    assert!(ended);
    assert_eq!(log.lines(), ["begin", "beside", "end"]);
}

#[test]
fn code_that_catches_the_unwinding_gets_it_again() {
    let rounds = Rc::new(Cell::new(0));
    let inside = Rc::clone(&rounds);
    beside(move || async move {
        let body = on_thread_stack(move || {
            while inside.get() < 1000 {
                let _ = catch_unwind(AssertUnwindSafe(|| wait(pending::<()>())));
                inside.set(inside.get() + 1);
            }
            wait(pending::<()>());
        });
        assert!(timeout(Duration::from_millis(5), body).await.is_err());
    });
    assert_eq!(rounds.get(), 1000);
}

#[test]
fn a_wait_in_async_code_stalls_and_says_so_there_too() {
    let mut limits = Limits::current();
    (limits.stall_warning, limits.stall_timeout) =
        (Duration::from_millis(20), Duration::from_millis(60));
    limits.set();
    let thrown = catch_unwind(|| {
        body(|| wait_named("the body", async { wait(pending::<()>()) }));
    });
    let payload = thrown.unwrap_err();
    let said = payload.downcast_ref::<String>().unwrap();
    assert!(said.contains("being waited for at the body"), "{said}");
}

#[test]
fn another_coroutine_inside_it_has_no_context() {
    body(|| {
        let mut inner = generator::Gn::<()>::new_scoped_local(|_| {
            assert!(!is_active());
            try_wait(async {}).unwrap_err().to_string()
        });
        let said = inner.next().unwrap();
        assert!(said.starts_with("this code runs on another coroutine's stack"));
        wait(pause());
    });
}

#[test]
fn it_is_resumed_by_its_executor_only() {
    let thrown = beside(|| async {
        let mut context = Box::pin(on_thread_stack(|| wait(pause())));
        assert!(futures::poll!(context.as_mut()).is_pending());
        let context = Rc::new(Cell::new(Some(context)));
        let handed = Rc::clone(&context);
        let thrown = run_sync(move || {
            let mut context = handed.take().unwrap();
            let polled = catch_unwind(AssertUnwindSafe(|| {
                let _ = context
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()));
            }));
            handed.set(Some(context));
            polled.unwrap_err()
        })
        .await;
        context.take().unwrap().await;
        thrown
    });
    let said = thrown.downcast_ref::<&str>().copied().map(str::to_owned);
    let said = said
        .or_else(|| thrown.downcast_ref::<String>().cloned())
        .unwrap();
    assert!(
        said.contains("polled in another context\n  help: "),
        "{said}"
    );
}

#[test]
fn tasks_of_a_local_set_have_the_stack_of_the_thread_above_it() {
    let outside = left();
    let used = beside(move || async move {
        let set = Rc::new(std::cell::RefCell::new(LocalSet::new()));
        let mut body = pin!(on_thread_stack(move || {
            let task = spawn_local(async move {
                assert!(try_wait(async {}).is_err());
                yield_now().await;
                used_since(outside)
            });
            wait(task).unwrap()
        }));
        std::future::poll_fn(move |cx| {
            let entered = set.borrow().enter();
            let polled = body.as_mut().poll(cx);
            drop(entered);
            if polled.is_pending() {
                let (set, waker) = (Rc::clone(&set), cx.waker().clone());
                call_on_thread_stack(move || {
                    let mut set = set.borrow_mut();
                    let _ = Pin::new(&mut *set).poll(&mut Context::from_waker(&waker));
                });
            }
            polled
        })
        .await
    });
    assert!(used < 64 << 10, "{used}");
}

#[test]
fn a_call_on_it_panics_where_it_was_called() {
    beside(|| async {
        let thrown = catch_unwind(|| call_on_thread_stack(|| panic!("above")));
        assert_eq!(thrown.unwrap_err().downcast_ref(), Some(&"above"));
        assert_eq!(call_on_thread_stack(|| 4), 4);
    });
    assert_eq!(call_on_thread_stack(|| 5), 5);
}

#[test]
fn it_works_on_a_runtime_of_many_threads() {
    let sum = beside_thread_stack(
        || {
            let runtime = Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build();
            runtime.unwrap().block_on(on_thread_stack(|| {
                let mut sum = 0;
                for _ in 0..100 {
                    sum += wait(tokio::spawn(async { 1 })).unwrap();
                }
                sum
            }))
        },
        |_| process::abort(),
    );
    assert_eq!(sum, 100);
}

#[test]
fn one_that_ends_for_no_request_strands_its_thread_after_the_executor() {
    for which in ["catching", "waiting", "leaked"] {
        let name = format!("thread_stack::stranded_{which}");
        let output = in_child(&name, &[]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(7), "{said}");
        assert!(said.contains("the executor has ended with 3"), "{said}");
        let abandoned = said.contains("its stack is abandoned");
        assert_eq!(abandoned, which != "leaked", "{said}");
    }
}

fn stranding(main: impl AsyncFnOnce() + 'static) {
    let mut limits = Limits::current();
    limits.drop_timeout = Duration::from_millis(30);
    limits.set();
    beside_thread_stack(
        || {
            block_on(main());
            // Others get stacks of their own from now on.
            assert!(block_on(on_thread_stack(generator::is_generator)));
            3
        },
        |ended| {
            // Past the capture of a test that never ends.
            let _ = writeln!(
                io::stderr(),
                "the executor has ended with {}",
                ended.expect("the executor does not panic")
            );
            process::exit(7);
        },
    );
    unreachable!("what is stranded never returns");
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn stranded_catching() {
    stranding(async || {
        let token = CancelToken::new();
        let body = token.scope(on_thread_stack(|| {
            loop {
                let _ = catch_unwind(|| wait(pending::<()>()));
            }
        }));
        let cancel = async { token.cancel() };
        let (ended, ()) = join(AssertUnwindSafe(body).catch_unwind(), cancel).await;
        assert!(is_cancelled_payload(&*ended.unwrap_err()));
    });
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn stranded_waiting() {
    stranding(async || {
        let body = on_thread_stack(|| {
            let _end = OnDrop(|| wait(pending::<()>()));
            wait(pending::<()>());
        });
        assert!(timeout(Duration::from_millis(5), body).await.is_err());
    });
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn stranded_leaked() {
    stranding(async || {
        let mut context = Box::pin(on_thread_stack(|| wait(pending::<()>())));
        let polled = futures::poll!(context.as_mut());
        assert_eq!(polled, Poll::Pending);
        std::mem::forget(context);
    });
}

#[test]
fn an_overflow_of_it_is_reported_by_the_standard_library() {
    let output = in_child("thread_stack::overflowing", &[]);
    assert_aborted(&output);
    let said = text(&output);
    assert!(
        said.contains("thread 'thread_stack::overflowing'"),
        "{said}"
    );
    assert!(said.contains("has overflowed its stack"), "{said}");
    assert!(!said.contains("coroutine"), "{said}");
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn overflowing() {
    body(|| {
        wait(run_sync(|| wait(yield_now())));
        endless(0)
    });
}

#[test]
fn an_overflow_inside_of_run_sync_is_reported_as_before() {
    let output = in_child("thread_stack::overflowing_beside", &[]);
    assert_aborted(&output);
    let said = text(&output);
    assert!(
        said.contains("has overflowed the stack of its coroutine context"),
        "{said}"
    );
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn overflowing_beside() {
    body(|| wait(run_sync(|| endless(0))));
}

#[test]
fn an_overflow_without_a_context_is_reported_by_the_standard_library() {
    let output = in_child("thread_stack::overflowing_without_a_context", &[]);
    assert_aborted(&output);
    let said = text(&output);
    assert!(
        said.contains("thread 'thread_stack::overflowing_without_a_context'"),
        "{said}"
    );
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn overflowing_without_a_context() {
    block_on(run_sync(|| ()));
    endless(0);
}
