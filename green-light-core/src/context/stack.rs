//! Stacks: made, kept for the next context of a thread, and left to other threads when it ends.
//!
//! A stack is mapped lazily by the system: of its 2 MiB only the pages that were used cost memory. libtest starts
//! a thread for each test, so a stack that went with its thread would be mapped again, and its pages with it.

use std::cell::RefCell;
use std::sync::Once;
use std::{panic, thread};

use crate::context::coroutine::{IdleStack, Stack};
use crate::context::settings::settings;
use crate::mutex::Mutex;
use crate::os;

/// How many stacks a thread keeps for its next contexts.
const KEPT: usize = 64;

/// How many stacks of ended threads are kept for others.
const IDLE: usize = 64;

thread_local! {
    static KEPT_STACKS: RefCell<Kept> = const { RefCell::new(Kept(Vec::new())) };
}

static IDLE_STACKS: Mutex<Vec<IdleStack>> = Mutex::new(Vec::new());

/// The stacks of one thread.
struct Kept(Vec<Stack>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.drain(..).for_each(leave);
    }
}

/// A stack: one of this thread, one that another has left, or a new one.
///
/// # Panics
///
/// When a setting cannot be used, or the system has no memory for a stack.
#[inline]
pub(crate) fn take() -> Stack {
    KEPT_STACKS
        .try_with(|kept| kept.borrow_mut().0.pop())
        .ok()
        .flatten()
        .unwrap_or_else(inherit)
}

/// Keeps a stack for the next context of this thread.
#[inline]
pub(crate) fn keep(stack: Stack) {
    // Neither lost nor dropped while anything is borrowed.
    let mut surplus = Some(stack);
    let _ = KEPT_STACKS.try_with(|kept| {
        let kept = &mut kept.borrow_mut().0;
        if kept.len() < KEPT {
            kept.extend(surplus.take());
        }
    });
    surplus.into_iter().for_each(leave);
}

#[cold]
fn inherit() -> Stack {
    let left = IDLE_STACKS.lock().pop();
    left.map_or_else(map, IdleStack::into_stack)
}

/// Leaves a stack to other threads, or frees it if there are enough of them.
#[cold]
fn leave(stack: Stack) {
    let Some(idle) = IdleStack::new(stack) else {
        return;
    };
    let mut stacks = IDLE_STACKS.lock();
    if stacks.len() < IDLE {
        stacks.push(idle);
    } else {
        // Unmapping is a call of the system, which no other thread should wait for.
        drop(stacks);
        drop(idle);
    }
}

#[cold]
fn map() -> Stack {
    let size = match settings() {
        Ok(settings) => settings.stack_size,
        Err(error) => panic!("{error}"),
    };
    prepare(size);
    Stack::map(size)
}

/// Makes the first coroutine of the process, unless that has been done.
///
/// With it `generator` installs its handler of faults, which knows the stacks of coroutines only. The one of the
/// standard library goes on reporting those of threads.
#[cfg(feature = "crowd")]
pub(crate) fn prepare_coroutines() {
    // The first context reports a size that cannot be used.
    if let Ok(settings) = settings() {
        prepare(settings.stack_size);
    }
}

fn prepare(size: usize) {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        let first = || {
            // It installs the panic filter of `generator`, which cannot be done while this thread panics, so
            // another thread does it then.
            if thread::panicking() {
                let prepared = thread::Builder::new().spawn(move || run_first(size));
                drop(prepared.map(thread::JoinHandle::join));
            } else {
                run_first(size);
            }
        };
        os::share_fault_handlers(first, generator::is_generator);
    });
}

fn run_first(size: usize) {
    // Of the usual size, so that valgrind tells its stack from the one it is called on by the distance.
    let words = (size / size_of::<usize>()) & !1;
    // Without memory for it there is none for the stack to come either, which says what to do.
    let _ = panic::catch_unwind(|| {
        generator::Gn::<()>::new_scoped_opt_local(words, |_| ()).resume();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle() -> usize {
        IDLE_STACKS.lock().len()
    }

    /// A thread that uses `count` stacks at once, and ends.
    fn thread_with(count: usize) {
        let thread = thread::spawn(move || {
            let stacks: Vec<Stack> = (0..count).map(|_| take()).collect();
            stacks.into_iter().for_each(keep);
        });
        thread.join().unwrap();
    }

    // Other tests use the same stacks, so it may take several attempts to see one move.

    #[test]
    fn a_thread_leaves_its_stacks_to_others() {
        let left = (0..100).any(|_| {
            thread_with(3);
            idle() >= 3
        });
        assert!(left);
        let inherited = (0..100).any(|_| {
            let before = idle();
            thread_with(2);
            before >= 2 && idle() == before
        });
        assert!(inherited);
    }

    #[test]
    fn no_more_stacks_are_left_than_are_kept() {
        thread_with(IDLE + KEPT);
        assert!(idle() <= IDLE);
    }
}
