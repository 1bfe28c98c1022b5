//! A thread-local variable that uses tokio when its thread ends: the process does not survive it.

use std::cell::RefCell;

struct SaysGoodbye;

impl Drop for SaysGoodbye {
    fn drop(&mut self) {
        drop(tokio::spawn(async {}));
    }
}

thread_local! {
    static GOODBYE: RefCell<Option<SaysGoodbye>> = const { RefCell::new(None) };
}

#[green_light::test]
fn a_thread_ends() {
    let handle = tokio::runtime::Handle::current();
    let thread = std::thread::spawn(move || {
        // Destructors run in reverse: tokio's own variable is gone before this one.
        GOODBYE.set(Some(SaysGoodbye));
        drop(handle.enter());
    });
    thread.join().expect("the process has ended");
}
