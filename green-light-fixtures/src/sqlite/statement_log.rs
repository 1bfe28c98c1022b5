//! Which statement of SQLite caused a breach.
//!
//! SQLite calls the hooks while the statement runs, on the thread of its connection, and does not say which one it is.
//! sqlx logs the statement once it is over, on the same thread, if that has a subscriber. So the hook sets a subscriber
//! for that thread, which ends with its connection. Other threads and logs of the application are not affected.

use std::{cell::RefCell, fmt, sync::Arc};

use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    dispatcher::DefaultGuard,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::Interest,
};

use crate::driver::monitor::SandboxMonitor;

/// Where sqlx logs statements.
const LOG: &str = "sqlx::query";

thread_local! {
    static LISTENING: RefCell<Option<DefaultGuard>> = const { RefCell::new(None) };
}

/// From here on, statements that end on this thread are reported to `monitor`.
pub(crate) fn listen(monitor: &Arc<SandboxMonitor>) {
    LISTENING.with_borrow_mut(|listening| {
        if listening.is_none() {
            let listener = Dispatch::new(Listener(Arc::clone(monitor)));
            *listening = Some(tracing::dispatcher::set_default(&listener));
        }
    });
}

struct Listener(Arc<SandboxMonitor>);

impl Subscriber for Listener {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.target() == LOG {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == LOG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut texts = Texts::default();
        event.record(&mut texts);
        // The summary is the statement itself if that is short.
        let whole = texts.statement.trim();
        self.0.named(if whole.is_empty() {
            &texts.summary
        } else {
            whole
        });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Texts {
    summary: String,
    statement: String,
}

impl Visit for Texts {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
