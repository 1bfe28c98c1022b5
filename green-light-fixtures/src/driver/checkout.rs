//! Who holds the one connection of a test, since when, and from where.
//!
//! The place is known when the transaction was begun through the session itself, or when
//! `GREEN_LIGHT_DEBUG=1` asks for a stack trace of every acquisition, which is too slow to be the
//! default.

use std::{
    backtrace::Backtrace,
    panic::Location,
    sync::LazyLock,
    time::{Duration, Instant},
};

use crate::sql::dialect::SettingsSet;

/// No server answers in less time, as far as is known: before a statement that is sent sooner, nothing else was sent.
/// SeaORM says when it has sent a statement, and not whether it has begun a transaction before.
const PROMPT: Duration = Duration::from_micros(10);

/// Before a statement that is sent sooner after its connection was taken, nothing else was sent. `fastest` is the shortest
/// time in which the server has answered so far: it does not answer in half of that.
pub(crate) fn prompt(fastest: Duration) -> Duration {
    PROMPT.min(fastest / 2)
}

/// Whether more is to be found out than tests usually pay for.
pub(crate) static TRACED: LazyLock<bool> = LazyLock::new(|| {
    std::env::var("GREEN_LIGHT_DEBUG").is_ok_and(|value| !matches!(value.trim(), "" | "0"))
});

/// What to do with a connection that is about to be handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckoutDecision {
    /// The outer transaction is open.
    Ready,
    /// The connection is no longer what it was: a new one is needed.
    Replace,
}

#[derive(Debug)]
pub(crate) struct Checkout {
    pub(crate) since: Instant,
    pub(crate) begun_at: Option<&'static Location<'static>>,
    pub(crate) statement: Option<String>,
    /// The first statement that by its words ends transactions.
    pub(crate) suspect: Option<String>,
    /// The last statement that called a procedure.
    pub(crate) call: Option<String>,
    /// Whether its statement will be reported when it is over.
    pub(crate) is_announced: bool,
    /// Whether a statement by its words defines something.
    pub(crate) defines: bool,
    /// How many statements were reported.
    pub(crate) reports: usize,
    /// Whether the first of them was sent as soon as the connection was there.
    pub(crate) is_prompt: bool,
    /// Whether one may have left something in the session.
    pub(crate) leaves_traces: bool,
    /// The settings that they set.
    pub(crate) settings: SettingsSet,
    trace: Option<Backtrace>,
}

impl Checkout {
    pub(crate) fn new(is_announced: bool) -> Self {
        Self {
            is_announced,
            since: Instant::now(),
            begun_at: None,
            statement: None,
            suspect: None,
            call: None,
            defines: false,
            reports: 0,
            is_prompt: false,
            leaves_traces: false,
            settings: SettingsSet::default(),
            trace: TRACED.then(Backtrace::force_capture),
        }
    }

    /// A statement was reported, which was sent at `sent`. Nothing is answered within `prompt`.
    pub(crate) fn note_report(&mut self, sent: Option<Instant>, prompt: Duration) {
        let is_prompt =
            sent.is_some_and(|sent| sent.saturating_duration_since(self.since) < prompt);
        self.is_prompt |= self.reports == 0 && is_prompt;
        self.reports += 1;
    }

    /// Whether all that was sent is one statement, outside of transactions, that sets nothing.
    pub(crate) fn is_one_statement(&self) -> bool {
        self.is_prompt
            && self.reports == 1
            && !self.is_announced
            && !self.leaves_traces
            && !self.settings.any
    }

    /// Where the connection was taken, if that was looked at.
    pub(crate) fn place(&self) -> Option<String> {
        match (self.begun_at, &self.trace) {
            (Some(place), _) => Some(place.to_string()),
            (None, Some(trace)) => place_in(&trace.to_string()),
            (None, None) => None,
        }
    }

    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// One line: by what, from where, for how long, and its last statement.
    pub(crate) fn describe(&self, held: Duration) -> String {
        let place = match self.place() {
            Some(place) => format!(" begun at {place}"),
            None if self.trace.is_some() => String::new(),
            None => " (`GREEN_LIGHT_DEBUG=1` shows where it was begun)".to_owned(),
        };
        let statement = match &self.statement {
            Some(statement) => format!("; its last statement: `{statement}`"),
            None => String::new(),
        };
        format!(
            "a transaction, stream or query{place}, for {:.1} s{statement}",
            held.as_secs_f64()
        )
    }
}

/// The innermost frame that belongs neither to the toolchain, nor to a dependency, nor to green-light.
fn place_in(trace: &str) -> Option<String> {
    let mut is_ours = false;
    for line in trace.lines().map(str::trim) {
        match line.strip_prefix("at ") {
            Some(place) if !is_ours && !is_foreign(place) => {
                return Some(place.strip_prefix("./").unwrap_or(place).to_owned());
            }
            Some(_) => {}
            None => is_ours = OURS.iter().any(|name| line.contains(name)),
        }
    }
    None
}

/// What the names of our own functions contain.
const OURS: [&str; 2] = ["green_light_fixtures::", "green_light_core::"];

fn is_foreign(place: &str) -> bool {
    [
        "/rustc/",
        "/registry/src/",
        "/rustlib/",
        "/git/checkouts/",
        "green-light-fixtures/src/",
        "green-light-core/src/",
    ]
    .iter()
    .any(|part| place.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_users_own_frame() {
        let trace = "   0: std::backtrace::create\n             at /rustc/abc/library/std/src/backtrace.rs:1:1\n   \
                     1: sqlx_core::pool::acquire\n             at /h/.cargo/registry/src/x/sqlx-core-0.9.0/src/pool.rs:2:3\n   \
                     2: green_light_fixtures::sandbox\n             at ./src/driver/checkout.rs:2:3\n   \
                     3: shop::checkout\n             at ./src/checkout.rs:40:17\n";
        assert_eq!(place_in(trace).as_deref(), Some("src/checkout.rs:40:17"));
        assert_eq!(place_in(""), None);
    }

    /// The savepoint that begins a transaction is one message with an answer.
    #[test]
    fn what_is_sent_after_the_server_may_have_answered_is_not_one_statement() {
        let after = |micros, fastest| {
            let mut checkout = Checkout::new(false);
            let sent = checkout.since + Duration::from_micros(micros);
            checkout.note_report(Some(sent), prompt(fastest));
            checkout.is_one_statement()
        };
        let unknown = Duration::from_nanos(u64::MAX);
        assert!(after(9, unknown), "no server is known to be faster");
        assert!(!after(11, unknown));
        let fast = Duration::from_micros(12);
        assert!(after(5, fast));
        assert!(!after(7, fast), "this server may have answered meanwhile");
    }

    #[test]
    fn says_what_is_known() {
        let mut checkout = Checkout {
            since: Instant::now(),
            begun_at: None,
            statement: None,
            suspect: None,
            call: None,
            is_announced: false,
            defines: false,
            reports: 0,
            is_prompt: false,
            leaves_traces: false,
            settings: SettingsSet::default(),
            trace: None,
        };
        assert!(
            checkout
                .describe(Duration::from_secs(5))
                .contains("GREEN_LIGHT_DEBUG=1")
        );
        checkout.begun_at = Some(Location::caller());
        checkout.statement = Some("SELECT 1".to_owned());
        let text = checkout.describe(Duration::from_secs(5));
        assert!(
            text.contains("checkout.rs:")
                && text.ends_with("for 5.0 s; its last statement: `SELECT 1`"),
            "{text}"
        );
    }
}
