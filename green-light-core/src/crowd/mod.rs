//! Many synchronous clients at once, as coroutines of may, to race the code under test.
//!
//! * A crowd is structured: [`Crowd::join`](handle::Crowd::join) waits for every member, and at its deadline cancels those that are
//!   left. A panic of a member fails the join, with its message and place.
//! * Members run in parallel on may's workers. They share nothing with the coroutine context of the test:
//!   inside one, [`Member::wait`](member::Member::wait) takes the place of `context::wait`.
//! * A member is in the shared runtime, as a test is: it can make timers and sockets, and spawn tasks.
//! * may is started by the first `spawn` of the process: unpinned, with two workers or more and a pool of one
//!   stack, because its defaults cost 14 ms. The configuration is changed only where it looks untouched, and put
//!   back once may runs. Whether an application runs may already cannot be seen: then nothing changes, since may
//!   reads its configuration once.
//! * Its workers are started from a thread without output capture, as those of the shared runtime.

pub(crate) mod failure;
pub(crate) mod handle;
pub(crate) mod member;
pub(crate) mod workers;
