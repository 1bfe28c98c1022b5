//! The state of one context, shared by the future that polls it and the waits on its stack; and the tokens that it
//! observes, which list the contexts that do.
//!
//! Every field is a cell: both sides run on the same thread and never hold a borrow across a switch.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::rc::Rc;
use std::task::Waker;
use std::time::Instant;

use tokio::runtime::Handle;

use crate::context::message::Place;
use crate::context::switch::{SuspendOnThread, Switch};

/// Names a wait: its frame's address and its number in the frame.
pub(crate) type WaitId = (usize, u64);

/// A wait that is on the stack of this context.
struct ActiveWait {
    number: u64,
    /// The token that was in force when it began, which is the one it observes.
    token: Option<CancelToken>,
    place: Place,
}

/// Whether this context was asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    None,
    /// By its token: the owner goes on polling until the stack is unwound.
    Cancelled,
    /// By a drop: the owner polls no more.
    Dropped,
}

pub(crate) struct Frame {
    pub(crate) switch: Switch,
    /// Behind a count of this thread's own: a waker's is shared with others, and each wait holds it.
    waker: RefCell<Rc<Waker>>,
    /// The token in force: a scope on this stack replaces it while it polls, also across suspensions.
    token: RefCell<Option<CancelToken>>,
    /// The token whose list this frame is in, and its place there.
    enlisted: RefCell<Option<CancelToken>>,
    pub(crate) listed_at: Cell<usize>,
    /// The wait of another context whose poll polled this one last.
    pub(crate) parent_wait: Cell<WaitId>,
    dropped: Cell<bool>,
    /// Whether a wait of this context has cancel_seen the cancellation.
    pub(crate) cancel_seen: Cell<bool>,
    /// When to stop looking after a context that does not end.
    pub(crate) give_up_at: Cell<Option<Instant>>,
    /// The tokio runtime it was suspended in first, for destructors that run outside of it.
    handle: RefCell<Option<Handle>>,
    has_looked_for_runtime: Cell<bool>,
    active: RefCell<Vec<ActiveWait>>,
    /// Waits below this index do not count as nested: synchronous code is in between.
    nesting_floor: Cell<usize>,
    last_wait: Cell<u64>,
    /// How often a wait of this context was resumed.
    pub(crate) resumed: Cell<u64>,
}

impl Frame {
    pub(crate) fn new() -> Self {
        Self::with(Switch::default())
    }

    /// The state of a context on the stack of its thread.
    pub(crate) fn on_thread(suspend: SuspendOnThread) -> Self {
        Self::with(Switch::on_thread(suspend))
    }

    fn with(switch: Switch) -> Self {
        Self {
            switch,
            waker: RefCell::new(Rc::new(Waker::noop().clone())),
            token: RefCell::new(None),
            enlisted: RefCell::new(None),
            listed_at: Cell::new(0),
            parent_wait: Cell::new((0, 0)),
            dropped: Cell::new(false),
            cancel_seen: Cell::new(false),
            give_up_at: Cell::new(None),
            handle: RefCell::new(None),
            has_looked_for_runtime: Cell::new(false),
            active: RefCell::new(Vec::new()),
            nesting_floor: Cell::new(0),
            last_wait: Cell::new(0),
            resumed: Cell::new(0),
        }
    }

    /// Prepares the frame for a new closure.
    #[inline]
    pub(crate) fn begin(self: &Rc<Self>, token: Option<CancelToken>, waker: &Waker) {
        self.dropped.set(false);
        self.has_looked_for_runtime.set(false);
        self.forget_request();
        self.nesting_floor.set(0);
        self.parent_wait.set((0, 0));
        self.set_waker(waker);
        if let Some(token) = token {
            token.enlist(self);
            self.enlisted.replace(Some(token.clone()));
            self.set_token(Some(token));
        }
    }

    /// Lets go of what the ended closure's owner lent to it.
    #[inline]
    pub(crate) fn end(self: &Rc<Self>) {
        self.set_waker(Waker::noop());
        let handle = self.handle.take();
        let token = self.token.take();
        let enlisted = self.enlisted.take();
        if let Some(token) = &enlisted {
            token.strike(self);
        }
        drop((handle, token, enlisted));
    }

    /// Forgets a cancellation that is over, because the scope of its token has ended.
    #[inline]
    pub(crate) fn forget_request(&self) {
        self.cancel_seen.set(false);
        self.give_up_at.set(None);
    }

    #[inline]
    pub(crate) fn set_waker(&self, waker: &Waker) {
        let mut kept = self.waker.borrow_mut();
        if !kept.will_wake(waker) {
            let new = waker.clone();
            // Its destructor is other people's code.
            match Rc::get_mut(&mut kept) {
                Some(place) => {
                    let old = mem::replace(place, new);
                    drop(kept);
                    drop(old);
                }
                None => {
                    let old = mem::replace(&mut *kept, Rc::new(new));
                    drop(kept);
                    drop(old);
                }
            }
        }
    }

    #[inline]
    pub(crate) fn waker(&self) -> Rc<Waker> {
        Rc::clone(&self.waker.borrow())
    }

    #[inline]
    pub(crate) fn has_waker(&self, waker: &Waker) -> bool {
        self.waker.borrow().will_wake(waker)
    }

    #[inline]
    pub(crate) fn token(&self) -> Option<CancelToken> {
        self.token.borrow().clone()
    }

    /// Replaces the token that contexts entered from here observe.
    #[inline]
    pub(crate) fn set_token(&self, token: Option<CancelToken>) -> Option<CancelToken> {
        self.token.replace(token)
    }

    /// The name of the test that this context belongs to, if the runner gave one.
    pub(crate) fn name(&self) -> Option<Rc<str>> {
        self.token.borrow().as_ref().and_then(CancelToken::name)
    }

    /// Asks the closure to unwind without suspending again.
    pub(crate) fn request_drop(&self) {
        self.dropped.set(true);
    }

    #[inline]
    pub(crate) fn request(&self) -> Request {
        if self.dropped.get() {
            Request::Dropped
        } else if self
            .token
            .borrow()
            .as_ref()
            .is_some_and(CancelToken::is_cancelled)
        {
            Request::Cancelled
        } else {
            Request::None
        }
    }

    /// Remembers the runtime around this context, once.
    #[inline]
    pub(crate) fn remember_runtime(&self) {
        if !self.has_looked_for_runtime.replace(true) {
            let handle = Handle::try_current().ok();
            self.handle.replace(handle);
        }
    }

    pub(crate) fn runtime(&self) -> Option<Handle> {
        self.handle.borrow().clone()
    }

    /// Puts a wait onto this stack until the guard is dropped.
    #[inline]
    pub(crate) fn begin_wait(&self, place: Place) -> ActiveWaitGuard<'_> {
        let number = self.last_wait.get() + 1;
        self.last_wait.set(number);
        let token = self.token();
        self.active.borrow_mut().push(ActiveWait {
            number,
            token,
            place,
        });
        ActiveWaitGuard {
            frame: self,
            number,
        }
    }

    /// The innermost wait on this stack.
    #[inline]
    pub(crate) fn innermost(&self) -> WaitId {
        let number = self.active.borrow().last().map_or(0, |wait| wait.number);
        (self.address(), number)
    }

    /// Whether the innermost wait is going to unwind.
    pub(crate) fn innermost_is_cancelled(&self) -> bool {
        let active = self.active.borrow();
        let token = active.last().and_then(|wait| wait.token.as_ref());
        token.is_some_and(CancelToken::is_cancelled)
    }

    /// The place of the innermost wait.
    pub(crate) fn innermost_place(&self) -> Option<Place> {
        self.active.borrow().last().map(|wait| wait.place.clone())
    }

    /// The place of the wait whose future the innermost wait was called in.
    #[inline]
    pub(crate) fn enclosing_place(&self) -> Option<Place> {
        let active = self.active.borrow();
        let enclosing = active.len().checked_sub(2)?;
        (enclosing >= self.nesting_floor.get()).then(|| active[enclosing].place.clone())
    }

    #[inline]
    pub(crate) fn is_nested(&self) -> bool {
        self.active.borrow().len() >= self.nesting_floor.get() + 2
    }

    /// Makes the waits that are active now invisible to [`Frame::enclosing_place`], and says what was there before.
    pub(crate) fn raise_nesting_floor(&self) -> usize {
        self.nesting_floor.replace(self.active.borrow().len())
    }

    pub(crate) fn restore_nesting_floor(&self, nesting_floor: usize) {
        self.nesting_floor.set(nesting_floor);
    }

    #[inline]
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// A wait that is on the stack of a context; dropping it takes it off.
pub(crate) struct ActiveWaitGuard<'a> {
    frame: &'a Frame,
    number: u64,
}

impl ActiveWaitGuard<'_> {
    #[inline]
    pub(crate) fn id(&self) -> WaitId {
        (self.frame.address(), self.number)
    }
}

impl Drop for ActiveWaitGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        let ended = self.frame.active.borrow_mut().pop();
        debug_assert_eq!(
            ended.map(|wait| wait.number),
            Some(self.number),
            "waits end in reverse order"
        );
    }
}

/// Cancels the contexts that are entered while a future is polled in its [`scope`](CancelToken::scope).
///
/// For the test runner. [`cancel`](CancelToken::cancel) sets a flag and wakes the contexts; each unwinds at
/// its `wait`, innermost first. The owner polls on until the future is ready: destructors may `wait` as
/// usual. The unwinding arrives at the poller as a panic whose payload
/// [`is_cancelled_payload`](crate::context::cancel::is_cancelled_payload) knows; no panic message is printed for it.
///
/// A token made while another one is in force is cancelled together with it.
#[derive(Clone)]
pub struct CancelToken {
    inner: Rc<Inner>,
}

struct Inner {
    name: Option<Rc<str>>,
    cancelled: Cell<bool>,
    parent: Option<CancelToken>,
    /// The contexts of this token and of all its relatives.
    family: Rc<Family>,
}

#[derive(Default)]
struct Family {
    contexts: RefCell<Vec<Rc<Frame>>>,
}

impl CancelToken {
    pub(crate) fn below(parent: Option<Self>, name: Option<Rc<str>>) -> Self {
        let family = match &parent {
            Some(parent) => Rc::clone(&parent.inner.family),
            None => Rc::default(),
        };
        let inner = Inner {
            name,
            cancelled: Cell::new(false),
            parent,
            family,
        };
        Self {
            inner: Rc::new(inner),
        }
    }

    /// Tells every context of this token to unwind.
    pub fn cancel(&self) {
        self.inner.cancelled.set(true);
        // Wakers are other people's code: call them when nothing is borrowed.
        let contexts = self.inner.family.contexts.borrow().clone();
        for frame in contexts {
            if frame.switch.is_suspended() && frame.request() == Request::Cancelled {
                frame.waker().wake_by_ref();
            }
        }
    }

    /// Whether this token or one above it was cancelled.
    #[inline]
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        let mut inner = &self.inner;
        loop {
            if inner.cancelled.get() {
                return true;
            }
            match &inner.parent {
                Some(parent) => inner = &parent.inner,
                None => return false,
            }
        }
    }

    /// The nearest name on the way up.
    pub(crate) fn name(&self) -> Option<Rc<str>> {
        let inner = &self.inner;
        inner
            .name
            .clone()
            .or_else(|| inner.parent.as_ref().and_then(CancelToken::name))
    }

    /// Puts a context that observes this token into the list.
    pub(crate) fn enlist(&self, frame: &Rc<Frame>) {
        let mut contexts = self.inner.family.contexts.borrow_mut();
        frame.listed_at.set(contexts.len());
        contexts.push(Rc::clone(frame));
    }

    /// Takes it off again.
    pub(crate) fn strike(&self, frame: &Rc<Frame>) {
        let mut contexts = self.inner.family.contexts.borrow_mut();
        let at = frame.listed_at.get();
        debug_assert!(
            contexts
                .get(at)
                .is_some_and(|listed| Rc::ptr_eq(listed, frame))
        );
        contexts.swap_remove(at);
        if let Some(moved) = contexts.get(at) {
            moved.listed_at.set(at);
        }
    }

    /// The suspended contexts that `wait` polls.
    pub(crate) fn contexts_under(&self, wait: WaitId) -> Vec<Rc<Frame>> {
        let contexts = self.inner.family.contexts.borrow();
        let below =
            |frame: &&Rc<Frame>| frame.parent_wait.get() == wait && frame.switch.is_suspended();
        contexts.iter().filter(below).cloned().collect()
    }

    /// How many contexts are listed, for tests.
    #[cfg(test)]
    pub(crate) fn listed(&self) -> usize {
        self.inner.family.contexts.borrow().len()
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("name", &self.name())
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}
