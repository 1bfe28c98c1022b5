//! Code with a runtime of its own, run where no other is.

use std::panic::resume_unwind;
use std::thread;

use tokio::sync::oneshot;

use crate::context::wait::try_wait;
use crate::tasks::Spawner;

/// Runs `work` on a thread without a tokio runtime, and waits for it.
///
/// For libraries that start a runtime of their own and end it, such as `reqwest::blocking`: on the
/// thread of a test, where tokio runs, they panic with "Cannot drop a runtime in a context where
/// blocking is not allowed". Inside of a coroutine context, timers and tasks of the test go on
/// meanwhile; elsewhere the thread is blocked. What `work` prints belongs to the test.
///
/// ```
/// let answer = green_light_core::blocking(|| {
///     let runtime = tokio::runtime::Builder::new_current_thread().build()?;
///     Ok::<_, std::io::Error>(runtime.block_on(async { 42 }))
/// });
/// assert_eq!(answer.unwrap(), 42);
/// ```
///
/// # Panics
///
/// If `work` does, with what it panicked with; and if the system has no more threads.
pub fn blocking<T, F>(work: F) -> T
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (done, finished) = oneshot::channel();
    let spawner = Spawner::here();
    let worker = thread::spawn(move || {
        let _here = spawner.as_ref().map(Spawner::enter);
        let value = work();
        drop(done);
        value
    });
    // Ends when the sender goes, after the work or with its panic.
    let _ = try_wait::<oneshot::Receiver<()>>(finished);
    worker
        .join()
        .unwrap_or_else(|payload| resume_unwind(payload))
}
