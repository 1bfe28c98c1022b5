//! Hostile texts and cancellations in random order, sent in every way there is, on each backend.
//!
//! `GREEN_LIGHT_FUZZ_TRIES=10000` makes it as long as a night; the seed is fixed.

mod texts;

use std::{collections::HashSet, time::Duration};

use green_light_fixtures::{Backend, Engine, Session};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};

use crate::support::{expect_clean, number, outside, schema_on};

/// How long one statement may take to fail or to run, on a machine that has other things to do.
const BOUND: Duration = Duration::from_secs(30);

/// The way by which a statement is prepared.
const PREPARED: usize = 2;

/// Marsaglia's xorshift, so that a failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

fn tries(short: usize) -> usize {
    let asked = std::env::var("GREEN_LIGHT_FUZZ_TRIES").ok();
    asked.and_then(|tries| tries.parse().ok()).unwrap_or(short)
}

/// A test that means ill.
struct Hostile<'a> {
    session: &'a Session,
    texts: &'static [&'static str],
    random: &'a mut Random,
    sent: Vec<&'static str>,
    /// Whether a statement was dropped that was to be prepared, after which sqlx may not know what
    /// MySQL answers.
    has_dropped: bool,
}

impl Hostile<'_> {
    fn text(&mut self) -> &'static str {
        let text = self.texts[self.random.below(self.texts.len())];
        self.sent.push(text);
        text
    }

    async fn run(&mut self) {
        for _ in 0..self.random.below(5) {
            let text = self.text();
            let way = self.random.below(4);
            let patience = match self.random.below(4) {
                0 => Duration::from_micros(self.random.below(800) as u64),
                _ => BOUND,
            };
            let sent = tokio::time::timeout(patience, self.send(way, text)).await;
            assert!(sent.is_ok() || patience < BOUND, "`{text}` hangs");
            self.has_dropped |= sent.is_err() && way == PREPARED;
        }
        let begun = tokio::time::timeout(BOUND, self.session.connection().begin()).await;
        let Ok(tx) = begun.expect("`begin` hangs") else {
            return;
        };
        for _ in 0..self.random.below(5) {
            let text = self.text();
            if self.random.below(2) == 0 {
                let _ = tx.execute_unprepared(text).await;
            } else {
                let _ = tx.execute_raw(self.statement(text)).await;
            }
        }
        match self.random.below(3) {
            0 => drop(tx.commit().await),
            1 => drop(tx),
            _ => drop(tx.rollback().await),
        }
    }

    fn statement(&self, text: &str) -> Statement {
        Statement::from_string(self.session.backend().dialect(), text)
    }

    async fn send(&self, way: usize, text: &'static str) {
        let db = self.session.connection();
        match (way, self.session.backend()) {
            (0, _) => drop(self.session.execute_unprepared(text).await),
            (1, _) => drop(db.execute_unprepared(text).await),
            (PREPARED, _) => drop(db.execute_raw(self.statement(text)).await),
            (_, Backend::Postgres) => {
                drop(
                    sqlx::raw_sql(text)
                        .execute(db.get_postgres_connection_pool())
                        .await,
                );
            }
            (_, Backend::MySql) => {
                drop(
                    sqlx::raw_sql(text)
                        .execute(db.get_mysql_connection_pool())
                        .await,
                );
            }
            _ => drop(
                sqlx::raw_sql(text)
                    .execute(db.get_sqlite_connection_pool())
                    .await,
            ),
        }
    }
}

/// What a report says of the statement that ended the transaction: its text, or its kind.
fn by(report: &str) -> Option<&str> {
    let from = report.split_once("\n  by")?.1;
    let line = from.lines().next()?;
    line.strip_prefix(": `")
        .or_else(|| line.strip_prefix(" `"))?
        .split('`')
        .next()
}

/// Whether a statement with that text or of that kind was sent.
fn was_sent(by: &str, sent: &[&str]) -> bool {
    let first = by.split_whitespace().next().unwrap_or_default();
    let first = match first {
        // As MySQL counts them.
        "BEGIN" => vec!["BEGIN", "START"],
        "XA" => vec!["XA"],
        other => vec![other],
    };
    sent.contains(&by)
        || sent.iter().any(|text| {
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| first.iter().any(|f| word.eq_ignore_ascii_case(f)))
        })
}

/// Whether a database is as the template made it; if it cannot be asked any more, it is not.
async fn is_as_made(outside: &DatabaseConnection, backend: Backend) -> bool {
    let tables = match backend {
        Backend::Postgres => "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
        _ => "SELECT count(*) FROM information_schema.tables WHERE table_schema = database()",
    };
    for (sql, wanted) in [
        ("SELECT count(*) FROM u WHERE email <> 'seed'", 0),
        ("SELECT count(*) FROM u", 1),
        (tables, 1),
    ] {
        let statement = Statement::from_string(backend.dialect(), sql);
        let row = outside.query_one_raw(statement).await;
        let found = row.ok().flatten().map(|row| row.try_get_by_index::<i64>(0));
        if !matches!(found, Some(Ok(found)) if found == wanted) {
            return false;
        }
    }
    true
}

/// What became of some tries.
#[derive(Debug, Default)]
struct Tally {
    breaches: usize,
    named: usize,
    /// Those whose connection sqlx could not use any more.
    lost: usize,
    /// Tries whose own database had changed afterwards.
    changed: usize,
}

async fn hostile(backend: Backend, texts: &'static [&'static str], short: usize) -> Tally {
    let engine = Engine::builder()
        .backend(backend)
        .schema(schema_on(backend))
        .build()
        .await
        .unwrap();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut tally = Tally::default();
    // Databases that something may have been committed to.
    let mut spoilt = HashSet::new();
    for try_number in 0..tries(short) {
        let test = engine.transaction_for("fuzzed").await.unwrap();
        let session = test.session();
        let place = session.url().expose().to_owned();
        assert!(!spoilt.contains(&place), "try {try_number}: used again");
        // SQLite's database is in memory: there is no outside.
        let outside = match backend {
            Backend::Sqlite => None,
            _ => Some(outside(&place).await),
        };
        let mut hostile = Hostile {
            session: &session,
            texts,
            random: &mut random,
            sent: Vec::new(),
            has_dropped: false,
        };
        hostile.run().await;
        let (sent, has_dropped) = (hostile.sent, hostile.has_dropped);
        drop(session);
        let ended = tokio::time::timeout(BOUND, test.finish()).await;
        let ended = ended.expect("the end hangs");
        let changed = match &outside {
            Some(outside) => !is_as_made(outside, backend).await,
            None => false,
        };
        match &ended {
            Err(error) if error.is_breach() => {
                tally.breaches += 1;
                let report = error.to_string();
                assert!(report.contains("test `fuzzed`"), "{report}");
                match by(&report) {
                    Some(by) => {
                        tally.named += 1;
                        assert!(was_sent(by, &sent), "try {try_number}: {sent:?}\n{report}");
                    }
                    None if backend == Backend::MySql
                        && has_dropped
                        && report.contains("lost its connection") =>
                    {
                        tally.lost += 1;
                    }
                    None => assert!(
                        backend == Backend::Postgres || report.contains("savepoint still open"),
                        "try {try_number}: {sent:?}\n{report}"
                    ),
                }
            }
            told => assert!(
                !changed,
                "try {try_number}: {sent:?}: nobody says so: {told:?}"
            ),
        }
        if changed {
            tally.changed += 1;
            if backend == Backend::Postgres {
                spoilt.insert(place);
            }
        }
        if let Some(outside) = outside {
            let _ = outside.close().await;
        }
        expect_clean(&engine).await;
    }
    assert!(tally.breaches > 0, "{tally:?}");
    if backend == Backend::Postgres {
        most_are_dropped(&engine, &spoilt).await;
    }
    tally
}

/// What something was committed to does not stay.
async fn most_are_dropped(engine: &Engine, spoilt: &HashSet<String>) {
    let test = engine.transaction_for("looks").await.unwrap();
    let names: Vec<_> = spoilt
        .iter()
        .map(|url| url.split('?').next().unwrap().rsplit('/').next().unwrap())
        .collect();
    let there = format!(
        "SELECT count(*) FROM pg_database WHERE datname = ANY ('{{{}}}')",
        names.join(",")
    );
    let there = number(&test.connection(), &there).await;
    test.finish().await.unwrap();
    assert!(there < 40, "{there} of {} are there", spoilt.len());
}

#[expect(clippy::print_stderr, reason = "a long run ends with its figures")]
fn tell(backend: Backend, tally: &Tally) {
    eprintln!("{backend}: {tally:?}");
}

async fn nothing_is_left_behind(backend: Backend) {
    let texts = match backend {
        Backend::Postgres => texts::POSTGRES,
        _ => texts::SQLITE,
    };
    let tally = hostile(backend, texts, 80).await;
    tell(backend, &tally);
}

on_backend!(sqlite, Sqlite, nothing_is_left_behind);
on_backend!(postgres, Postgres, nothing_is_left_behind);

async fn what_commits_is_reported_with_its_statement(backend: Backend) {
    let tally = hostile(backend, texts::MYSQL, 60).await;
    tell(backend, &tally);
    assert_eq!(tally.breaches, tally.named + tally.lost);
}

on_backend!(mysql, MySql, what_commits_is_reported_with_its_statement);
