//! Stacks of this thread: made, kept for the next context, freed with the thread.
//!
//! A stack is mapped lazily by the system: of its 2 MiB only the pages that were used cost memory.

use std::cell::RefCell;
use std::sync::Once;
use std::thread;

use super::coroutine::Stack;
use super::settings::settings;

/// How many stacks a thread keeps for its next contexts.
const KEPT: usize = 64;

thread_local! {
    static KEPT_STACKS: RefCell<Vec<Stack>> = const { RefCell::new(Vec::new()) };
}

/// A stack, kept or new.
///
/// # Panics
///
/// When a setting cannot be used, or the system has no memory for a stack.
#[inline]
pub(super) fn take() -> Stack {
    KEPT_STACKS
        .try_with(|kept| kept.borrow_mut().pop())
        .ok()
        .flatten()
        .unwrap_or_else(map)
}

/// Keeps a stack for the next context of this thread.
#[inline]
pub(super) fn keep(stack: Stack) {
    let surplus = KEPT_STACKS.try_with(|kept| {
        let mut kept = kept.borrow_mut();
        if kept.len() < KEPT {
            kept.push(stack);
            None
        } else {
            Some(stack)
        }
    });
    // The surplus is freed here, when nothing is borrowed any more.
    drop(surplus);
}

#[cold]
fn map() -> Stack {
    static PREPARED: Once = Once::new();
    let size = match settings() {
        Ok(settings) => settings.stack_size,
        Err(error) => panic!("{error}"),
    };
    PREPARED.call_once(|| {
        // The first coroutine of a process installs the panic filter of `generator`, which cannot be done
        // while this thread panics, so another thread does it then.
        if thread::panicking() {
            let prepared = thread::Builder::new().spawn(move || prepare(size));
            drop(prepared.map(thread::JoinHandle::join));
        } else {
            prepare(size);
        }
    });
    Stack::map(size)
}

fn prepare(size: usize) {
    // Of the usual size, so that valgrind tells its stack from the one it is called on by the distance.
    let words = (size / size_of::<usize>()) & !1;
    generator::Gn::<()>::new_scoped_opt_local(words, |_| ()).resume();
}
