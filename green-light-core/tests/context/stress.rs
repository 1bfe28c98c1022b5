//! Random programs of contexts, panics, drops and cancellations, each from a seed: on stacks of their own, and with
//! every other seed one of them on the stack of the thread.
//!
//! `GREEN_LIGHT_STRESS_SEEDS=10000` sets how many seeds run, `GREEN_LIGHT_STRESS_SEED=n` runs one and says what it
//! does. Nothing here depends on time or on another thread, so that a seed always does the same.

mod world;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::env;
use std::future::{Future, pending, poll_fn};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::process;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{join, join_all};
use futures::stream::{FuturesUnordered, StreamExt};
use green_light_core::context::{
    CancelToken, Limits, beside_thread_stack, is_active, is_cancelled_payload, on_thread_stack,
    run_sync, synchronous, wait,
};

use crate::support::pause;
use world::{Planned, Value, World};

const USUAL_SEEDS: u64 = 400;

/// Every so many seeds, a thousand contexts and more live at the same time.
const CROWDED: u64 = 200;

#[test]
fn random_programs_keep_every_promise() {
    let number = |name| {
        env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    if let Some(seed) = number("GREEN_LIGHT_STRESS_SEED") {
        run_seed(seed, true);
        return;
    }
    let mut on_thread_stacks = 0;
    for seed in 0..number("GREEN_LIGHT_STRESS_SEEDS").unwrap_or(USUAL_SEEDS) {
        let ran = catch_unwind(|| run_seed(seed, false));
        on_thread_stacks += ran.as_ref().copied().unwrap_or_default();
        if let Err(payload) = ran {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
            panic!(
                "seed {seed}: {}; replay with `GREEN_LIGHT_STRESS_SEED={seed}`",
                text.unwrap_or("?")
            );
        }
    }
    assert!(
        on_thread_stacks > 0,
        "no context had the stack of its thread"
    );
}

/// A context with a random program.
fn context(world: &Rc<World>, depth: u32) -> impl Future<Output = u64> + use<> {
    let world = Rc::clone(world);
    // Those of the roots get the stack of the thread, if no other has it; the others get one of their own.
    on_thread_stack(move || {
        if !generator::is_generator() {
            world.on_thread_stack.set(world.on_thread_stack.get() + 1);
        }
        world.entered.set(world.entered.get() + 1);
        world.most.set(world.most.get().max(world.entered.get()));
        let end = Ended(Rc::clone(&world));
        let result = program(&world, depth);
        drop(end);
        result
    })
}

struct Ended(Rc<World>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.entered.set(self.0.entered.get() - 1);
    }
}

/// Runs a context under a token of its own, and catches what it throws.
async fn guarded(world: Rc<World>, depth: u32) -> u64 {
    let token = CancelToken::new();
    world.tokens.borrow_mut().push(token.clone());
    let inner = context(&world, depth);
    match AssertUnwindSafe(token.scope(inner)).catch_unwind().await {
        Ok(result) => result,
        Err(payload) => ended_by(&*payload),
    }
}

fn ended_by(payload: &(dyn Any + Send)) -> u64 {
    assert!(
        payload.is::<Planned>() || is_cancelled_payload(payload),
        "an unplanned panic"
    );
    0
}

/// Some steps of synchronous code.
fn program(world: &Rc<World>, depth: u32) -> u64 {
    let here = thread::current().id();
    let waits = world.below(6).saturating_sub(3);
    let value = Value::new(world, waits);
    let mut result = 0;
    for _ in 0..=world.below(5) {
        if world.budget.get() == 0 {
            break;
        }
        world.budget.set(world.budget.get() - 1);
        result += step(world, depth);
        assert!(is_active(), "the context is not restored");
        assert_eq!(thread::current().id(), here);
        value.check();
    }
    result
}

fn step(world: &Rc<World>, depth: u32) -> u64 {
    let kind = if depth == 0 {
        world.below(6)
    } else {
        world.below(18)
    };
    world.say(&format!("depth {depth}: step {kind}"));
    let deeper = depth.saturating_sub(1);
    match kind {
        0 | 1 => wait(pause()),
        2 => wait(async {
            pause().await;
            pause().await;
        }),
        3 => {
            if world.below(3) == 0 {
                panic::resume_unwind(Box::new(Planned));
            }
        }
        4 => {
            if world.below(4) == 0 {
                wait(pending::<()>());
            }
        }
        5 => {
            let token = {
                let tokens = world.tokens.borrow();
                tokens
                    .get(world.below(1 + tokens.len() as u64) as usize)
                    .cloned()
            };
            if let Some(token) = token {
                token.cancel();
            }
        }
        6 => return catch_unwind(AssertUnwindSafe(|| program(world, deeper))).unwrap_or(0),
        7 | 8 => return wait(context(world, deeper)),
        9 => return wait(async { program(world, deeper) }),
        10 => return wait(async { synchronous(|| program(world, deeper)) }),
        11 | 12 => return wait(guarded(Rc::clone(world), deeper)),
        13 => {
            let contexts = (0..=world.below(4)).map(|_| context(world, deeper));
            return wait(join_all(contexts)).into_iter().sum();
        }
        14 => {
            let mut contexts: FuturesUnordered<_> = (0..=world.below(4))
                .map(|_| guarded(Rc::clone(world), deeper))
                .collect();
            let enough = world.below(4);
            return wait(async {
                let mut sum = 0;
                for _ in 0..enough {
                    sum += contexts.next().await.unwrap_or(0);
                }
                sum
            });
        }
        15 => {
            // Polled a few times, then dropped, wherever it is.
            let mut future = Box::pin(context(world, deeper));
            let times = world.below(4);
            return wait(async {
                for _ in 0..times {
                    let polled =
                        AssertUnwindSafe(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))));
                    match polled.catch_unwind().await {
                        Ok(Poll::Pending) => pause().await,
                        Ok(Poll::Ready(result)) => return result,
                        Err(payload) => return ended_by(&*payload),
                    }
                }
                0
            });
        }
        16 => {
            let both = join(guarded(Rc::clone(world), deeper), async {
                program(world, deeper)
            });
            let (one, two) = wait(both);
            return one + two;
        }
        _ => {
            // Caught, and waited again: an unwinding must come back.
            for _ in 0..3 {
                let _ = catch_unwind(AssertUnwindSafe(|| wait(pause())));
            }
        }
    }
    1
}

/// A future at the root, and whether it was woken.
struct Root {
    future: Option<Pin<Box<dyn Future<Output = u64>>>>,
    woken: Arc<Woken>,
    token: CancelToken,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Root {
    fn new(world: &Rc<World>, depth: u32) -> Self {
        let token = CancelToken::new();
        let (inner, scope) = (context(world, depth), token.clone());
        let future: Pin<Box<dyn Future<Output = u64>>> =
            Box::pin(async move { scope.scope(inner).await });
        Root {
            future: Some(future),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            token,
        }
    }

    fn is_woken(&self) -> bool {
        self.future.is_some() && self.woken.0.load(Ordering::Relaxed)
    }

    fn poll(&mut self) {
        self.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.woken));
        let future = self
            .future
            .as_mut()
            .expect("only what is left is polled")
            .as_mut();
        let polled = catch_unwind(AssertUnwindSafe(|| {
            future.poll(&mut Context::from_waker(&waker))
        }));
        match polled {
            Ok(Poll::Pending) => {}
            Ok(Poll::Ready(_)) => self.future = None,
            Err(payload) => {
                ended_by(&*payload);
                self.future = None;
            }
        }
        assert!(!is_active(), "a context is left entered");
    }
}

/// Runs a seed, every other one beside the stack of this thread, and says how many contexts have had that.
fn run_seed(seed: u64, says: bool) -> u64 {
    let run = move || run_roots(seed, says);
    if seed.is_multiple_of(2) {
        beside_thread_stack(run, |_| process::abort())
    } else {
        run()
    }
}

fn run_roots(seed: u64, says: bool) -> u64 {
    without_limits();
    let crowded = seed % CROWDED == CROWDED - 1;
    let world = Rc::new(World {
        random: Cell::new(seed),
        budget: Cell::new(if crowded { 4000 } else { 120 }),
        alive: Cell::new(0),
        entered: Cell::new(0),
        most: Cell::new(0),
        on_thread_stack: Cell::new(0),
        tokens: RefCell::default(),
        says,
    });
    let mut roots: Vec<_> = if crowded {
        (0..1200).map(|_| Root::new(&world, 1)).collect()
    } else {
        (0..=world.below(4)).map(|_| Root::new(&world, 4)).collect()
    };
    if crowded {
        hold_all(&world, &mut roots);
    }
    loop {
        let left: Vec<_> = (0..roots.len())
            .filter(|at| roots[*at].future.is_some())
            .collect();
        if left.is_empty() {
            break;
        }
        let woken: Vec<_> = left
            .iter()
            .copied()
            .filter(|at| roots[*at].is_woken())
            .collect();
        let pick = |from: &[usize]| from[world.below(from.len() as u64) as usize];
        if woken.is_empty() {
            // What is left waits for ever, so somebody has to end it.
            let root = &mut roots[pick(&left)];
            if world.below(2) == 0 && !root.token.is_cancelled() {
                world.say("the root is cancelled");
                root.token.cancel();
                assert!(root.is_woken(), "a cancelled context was not woken");
            } else {
                assert!(!root.token.is_cancelled(), "a cancelled context is stuck");
                world.say("the root is dropped");
                root.future = None;
            }
        } else {
            let root = &mut roots[pick(&woken)];
            match world.below(40) {
                0 => root.token.cancel(),
                1 => root.future = None,
                _ => root.poll(),
            }
        }
        assert!(!is_active(), "a context is left entered");
    }
    drop(roots);
    assert_eq!(world.alive.get(), 0, "values were lost, or dropped twice");
    assert_eq!(world.entered.get(), 0, "contexts were lost");
    assert!(!thread::panicking(), "an unwinding was left behind");
    assert!(
        !crowded || world.most.get() >= 1000,
        "only {} at the same time",
        world.most.get()
    );
    world.on_thread_stack.get()
}

/// No clock decides anything here, however slow the machine or the tool is that runs this.
fn without_limits() {
    let mut limits = Limits::current();
    let long = Duration::from_secs(100_000);
    (
        limits.stall_warning,
        limits.stall_timeout,
        limits.drop_timeout,
    ) = (long, long, long);
    limits.set();
}

/// Puts contexts that wait beside the programs, until more than a thousand are alive.
fn hold_all(world: &Rc<World>, roots: &mut Vec<Root>) {
    for _ in 0..1100 {
        let world_inside = Rc::clone(world);
        let inner = run_sync(move || {
            world_inside.entered.set(world_inside.entered.get() + 1);
            world_inside
                .most
                .set(world_inside.most.get().max(world_inside.entered.get()));
            let _end = Ended(Rc::clone(&world_inside));
            let value = Value::new(&world_inside, world_inside.below(3));
            wait(pending::<()>());
            value.check();
            0
        });
        let token = CancelToken::new();
        let scope = token.clone();
        let future = Box::pin(async move { scope.scope(inner).await });
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let mut root = Root {
            future: Some(future),
            woken,
            token,
        };
        root.poll();
        roots.push(root);
    }
}
