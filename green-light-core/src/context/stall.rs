//! Wakes a `wait` that has suspended the polls around it for too long, so that it can say so.
//!
//! One thread for the process, started by the first such wait; waits that suspend nothing else never come here.

use std::collections::BTreeMap;
use std::sync::{Condvar, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::context::settings::Limits;
use crate::mutex::Mutex;
use crate::os;

/// A wait that suspends the polls around it.
pub(crate) struct Stall {
    since: Instant,
    warned: bool,
    alarm: Option<Alarm>,
}

impl Stall {
    pub(crate) fn begin() -> Self {
        Self {
            since: Instant::now(),
            warned: false,
            alarm: None,
        }
    }

    /// Sees to it that `waker` is woken when the wait has to look at the clock.
    pub(crate) fn watch(&mut self, waker: &Waker) {
        let limits = Limits::current();
        let after = if self.warned {
            limits.stall_timeout
        } else {
            limits.stall_warning
        };
        let at = self.since + after;
        if self
            .alarm
            .as_ref()
            .is_none_or(|alarm| !alarm.serves(at, waker))
        {
            self.alarm = Some(Alarm::set(at, waker.clone()));
        }
    }

    /// How long it has waited, if that has to be said now.
    pub(crate) fn due(&mut self) -> Option<Duration> {
        let limits = Limits::current();
        let waited = self.since.elapsed();
        let fails = waited >= limits.stall_timeout;
        let warns = waited >= limits.stall_warning && !self.warned;
        self.warned |= warns;
        (fails || warns).then_some(waited)
    }
}

/// An entry in the watch's list; dropping it takes it off.
struct Alarm {
    at: Instant,
    number: u64,
    waker: Waker,
}

impl Alarm {
    fn set(at: Instant, waker: Waker) -> Self {
        let watch = watch();
        let mut alarms = watch.alarms.lock();
        alarms.last += 1;
        let number = alarms.last;
        alarms.due.insert((at, number), waker.clone());
        // The thread that sleeps until an alarm that is gone by then looks again when it wakes.
        let too_late = alarms.asleep_until.is_none_or(|until| until > at);
        drop(alarms);
        if too_late {
            watch.changed.notify_one();
        }
        Self { at, number, waker }
    }

    fn serves(&self, at: Instant, waker: &Waker) -> bool {
        self.at == at && self.waker.will_wake(waker)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let waker = watch().alarms.lock().due.remove(&(self.at, self.number));
        drop(waker);
    }
}

struct Watch {
    alarms: Mutex<Alarms>,
    changed: Condvar,
}

#[derive(Default)]
struct Alarms {
    due: BTreeMap<(Instant, u64), Waker>,
    last: u64,
    /// When the thread looks at the list again by itself.
    asleep_until: Option<Instant>,
}

impl Watch {
    fn run(&self) {
        let mut alarms = self.alarms.lock();
        loop {
            let now = Instant::now();
            let next = alarms.due.first_key_value().map(|((at, _), _)| *at);
            alarms.asleep_until = next;
            match next {
                None => {
                    alarms = self
                        .changed
                        .wait(alarms)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                Some(at) if at > now => {
                    let waited = self.changed.wait_timeout(alarms, at - now);
                    alarms = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                Some(_) => {
                    let due = alarms.due.pop_first();
                    // A waker is other people's code.
                    drop(alarms);
                    if let Some((_, waker)) = due {
                        waker.wake();
                    }
                    alarms = self.alarms.lock();
                }
            }
        }
    }
}

fn watch() -> &'static Watch {
    static WATCH: OnceLock<&'static Watch> = OnceLock::new();
    WATCH.get_or_init(|| {
        let watch: &'static Watch = Box::leak(Box::new(Watch {
            alarms: Mutex::default(),
            changed: Condvar::new(),
        }));
        // Without the thread a stalled wait is not reported; it is no reason to fail a wait that goes well.
        drop(os::spawn_uncaptured("green-light-watch", || {
            watch.run();
        }));
        watch
    })
}
