//! Connecting to a server that may have no connection left, and asking it one thing.

use std::time::{Duration, Instant};

use green_light_core::progress;
use sqlx::{ConnectOptions as _, Executor as _, PgConnection, postgres::PgConnectOptions};

use crate::error::{Error, Kind};

pub(super) const NO_DATABASE: &str = "3D000";
pub(super) const DATABASE_EXISTS: &str = "42P04";
pub(super) const UNIQUE: &str = "23505";
const TOO_MANY: [&str; 2] = ["53300", "57P03"];

/// How long to wait before anything is said, and between two times that it is said.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait at all.
pub(super) const LIMIT: Duration = Duration::from_secs(300);

/// Connects; waits while the server has no connection left.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut waiting = Waiting::new();
    loop {
        match options.connect().await {
            Err(error) if waiting.is_worth_it() && TOO_MANY.iter().any(|c| has_code(&error, c)) => {
                waiting
                    .pause(|| format!("the server has no connection left ({error})"))
                    .await;
            }
            other => return other,
        }
    }
}

/// A bounded wait for something that other processes have, told of when it is long.
#[derive(Debug)]
pub(super) struct Waiting {
    started: Instant,
    told: Instant,
    turns: u32,
}

impl Waiting {
    pub(super) fn new() -> Self {
        let started = Instant::now();
        Self {
            started,
            told: started,
            turns: 0,
        }
    }

    pub(super) fn is_worth_it(&self) -> bool {
        self.started.elapsed() < LIMIT
    }

    pub(super) fn is_to_be_told(&mut self) -> bool {
        let due = self.told.elapsed() >= PATIENCE;
        if due {
            self.told = Instant::now();
        }
        due
    }

    /// Waits a little, longer each time, and not as long as another process does.
    pub(super) async fn pause(&mut self, what: impl FnOnce() -> String) {
        if self.is_to_be_told() {
            progress(&format!(
                "{} s: {}",
                self.started.elapsed().as_secs(),
                what()
            ));
        }
        self.turns += 1;
        let base = u64::from(self.turns.min(12)) * 5;
        let spread = u64::from(std::process::id().wrapping_mul(2_654_435_761) >> 24) % 20;
        tokio::time::sleep(Duration::from_millis(base + spread)).await;
    }
}

/// Runs statements, none of them with values, that may not be prepared.
pub(super) async fn run(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::AssertSqlSafe(sql)).await.map(drop)
}

pub(super) fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|found| found == code)
}

/// Something of ours went wrong on the server.
pub(super) fn failed(what: impl Into<String>, error: sqlx::Error) -> Error {
    let help = match error.as_database_error().and_then(|e| e.code()).as_deref() {
        Some("42501") => {
            "the role of `GREEN_LIGHT_POSTGRES_URL` must be allowed to make databases: \
             `ALTER ROLE .. CREATEDB`"
        }
        Some("53300") => {
            "the server has no connection left: raise `max_connections`, run fewer tests at once, \
             or close what else is connected"
        }
        Some("53100") => "the disk of the server is full",
        _ => "look at the cause, and whether the server of `GREEN_LIGHT_POSTGRES_URL` runs",
    };
    Error::new(Kind::Connection, what).help(help).because(error)
}

/// A name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it, whatever `standard_conforming_strings` says.
pub(super) fn literal(text: &str) -> String {
    let text = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", text.replace('\\', "\\\\"))
    } else {
        format!("'{text}'")
    }
}
