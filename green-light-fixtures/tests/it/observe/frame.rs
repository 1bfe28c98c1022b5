//! What one test leaves and the next one sees: all that a session can observe, before and after a hostile test.
//!
//! Each text of a corpus is sent by a test of its own, in every [`Way`] and isolation. The test after it, on the same
//! engine, writes down all that it can see ([`Observer::observe`]) and works a little. That must be what the first
//! test of the engine saw, but for what stands in [`Observer::ALLOWED`] and in the table of `src/docs/traps.md`.
//!
//! A run of all tests takes a sample. `GREEN_LIGHT_OBSERVE=all` takes all of it, and so does `cargo xtask observe`;
//! `GREEN_LIGHT_OBSERVE='all shared'` takes all with that isolation, as each of the processes of `cargo xtask observe`
//! does, and any other value takes the texts in which it stands, in every way.

use std::{collections::BTreeMap, marker::PhantomData, time::Duration};

use green_light_fixtures::{Backend, Engine, EngineBuilder, Isolation, Session};
use sea_orm::TransactionTrait as _;

use crate::observe::table::{Outcome, Table, rows};
use crate::support::{TEARDOWN_TIMEOUT, count, insert, schema_on};

/// What a session can see: names, and values without what differs from session to session by nature.
pub(super) type Observation = BTreeMap<String, String>;

/// How long one text may take.
const BOUND: Duration = Duration::from_secs(10);

/// How often a text is sent again to see whether it is that which is reported.
const TRIES: usize = 3;

/// Every how many texts is in the sample.
const STRIDE: usize = 12;

const ISOLATIONS: [Isolation; 3] = [
    Isolation::Transaction,
    Isolation::Database,
    Isolation::Shared,
];

/// How a text gets to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    SeaOrm,
    SeaOrmPrepared,
    /// Between `begin` and `commit`.
    SeaOrmTransaction,
    /// By the pool that the session gives, as are the next ones.
    Sqlx,
    SqlxPrepared,
    /// By the pool that is inside of the `DatabaseConnection`.
    SeaOrmPool,
    /// By a pool of its own.
    Url,
}

const WAYS: [Way; 7] = [
    Way::SeaOrm,
    Way::SeaOrmPrepared,
    Way::SeaOrmTransaction,
    Way::Sqlx,
    Way::SqlxPrepared,
    Way::SeaOrmPool,
    Way::Url,
];

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::SeaOrm => "SeaORM",
            Self::SeaOrmPrepared => "SeaORM, prepared",
            Self::SeaOrmTransaction => "SeaORM, begin .. commit",
            Self::Sqlx => "sqlx",
            Self::SqlxPrepared => "sqlx, prepared",
            Self::SeaOrmPool => "pool of SeaORM",
            Self::Url => "pool from the URL",
        }
    }
}

/// One database, for those who look at it.
pub(super) trait Observer {
    const BACKEND: Backend;
    /// What hostile and ordinary tests send.
    const TEXTS: &'static [&'static str];
    /// What the next test may see: the key, or its beginning with a `*`, and the reason. `transaction: key` is
    /// allowed in that isolation alone. Equal to the table in `src/docs/traps.md`.
    const ALLOWED: &'static [(&'static str, &'static str)];

    /// What a test observes if those before it were ordinary: the first one saw `fresh`, and the latest that looked saw
    /// `last`, `tests` before.
    fn after_ordinary(
        _isolation: Isolation,
        fresh: &Observation,
        _last: &Observation,
        _tests: u32,
    ) -> Observation {
        fresh.clone()
    }

    /// How the engine is built on which `way` is tried.
    fn engine(_isolation: Isolation, _way: Way) -> EngineBuilder {
        Engine::builder()
            .backend(Self::BACKEND)
            .schema(schema_on(Self::BACKEND))
    }

    /// Sends a text and ignores what becomes of it: [`send!`] is all of it.
    async fn send(session: &Session, way: Way, sql: &'static str);

    /// All that the session can see.
    async fn observe(session: &Session) -> Observation;
}

/// The body of [`Observer::send`], for the database of sqlx and the methods that give its pool.
macro_rules! send {
    ($session:expr, $way:expr, $sql:expr, $database:ident, $pool:ident, $pool_of_sea_orm:ident) => {{
        use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
        let (session, sql): (&green_light_fixtures::Session, &'static str) = ($session, $sql);
        match $way {
            Way::SeaOrm => drop(session.execute_unprepared(sql).await),
            Way::SeaOrmPrepared => {
                let dialect = session.backend().dialect();
                let statement = sea_orm::Statement::from_string(dialect, sql);
                drop(session.execute_raw(statement).await);
            }
            Way::SeaOrmTransaction => {
                if let Ok(begun) = session.begin().await {
                    drop(begun.execute_unprepared(sql).await);
                    drop(begun.commit().await);
                }
            }
            Way::Sqlx => drop(sqlx::raw_sql(sql).execute(session.$pool()).await),
            Way::SqlxPrepared => drop(sqlx::query(sql).fetch_all(session.$pool()).await),
            Way::SeaOrmPool => {
                let pool = session.connection().$pool_of_sea_orm();
                drop(sqlx::raw_sql(sql).execute(pool).await);
            }
            Way::Url => {
                let options = sqlx::pool::PoolOptions::<sqlx::$database>::new()
                    .max_connections(1)
                    .acquire_timeout(std::time::Duration::from_secs(2));
                if let Ok(pool) = options.connect(session.url().expose()).await {
                    drop(sqlx::raw_sql(sql).execute(&pool).await);
                    pool.close().await;
                }
            }
        }
    }};
}
pub(super) use send;

/// What a test sends after its text: a row, which must not be there afterwards.
const ROW: &str = "INSERT INTO u (email) VALUES ('left behind')";

/// A test on `engine`: what it can see, and how its own work goes. Then it sends `hostile`, if there is one. Also
/// whether its end was reported.
async fn step<O: Observer>(
    engine: &Engine,
    isolation: Isolation,
    hostile: Option<(Way, &'static str)>,
) -> (Observation, bool) {
    let test = match engine.isolate(isolation, "observe::test").await {
        Ok(test) => test,
        Err(error) => {
            return (
                Observation::from([("begin".to_owned(), error.to_string())]),
                false,
            );
        }
    };
    let session = test.session();
    let mut seen = O::observe(&session).await;
    let work = async {
        let db = session.connection();
        let before = count(db).await;
        let begun = db.begin().await?;
        insert(&begun, "of the next").await?;
        begun.commit().await?;
        insert(db, "of the next, too").await?;
        Ok::<_, sea_orm::DbErr>(count(db).await - before)
    };
    seen.insert("work".to_owned(), format!("{:?}", work.await));
    if let Some((way, sql)) = hostile {
        send_both::<O>(&session, way, sql).await;
    }
    drop(session);
    let ended = test.finish().await.map_err(|error| error.to_string());
    let is_told = ended.is_err();
    if hostile.is_none() {
        seen.insert("end".to_owned(), format!("{ended:?}"));
    }
    (seen, is_told)
}

async fn send_both<O: Observer>(session: &Session, way: Way, sql: &'static str) {
    for text in [sql, ROW] {
        drop(tokio::time::timeout(BOUND, O::send(session, way, text)).await);
    }
}

/// A test that sends `sql`, and whether its end was reported.
async fn hostile<O: Observer>(
    engine: &Engine,
    isolation: Isolation,
    way: Way,
    sql: &'static str,
) -> bool {
    let test = engine.isolate(isolation, "observe::hostile").await.unwrap();
    let session = test.session();
    send_both::<O>(&session, way, sql).await;
    drop(session);
    test.finish().await.is_err()
}

/// Compares what a test is expected to see with what the test after a text saw, and says whether it saw nothing
/// else. Also gets whether the end of the test with the text was reported.
trait Judge: FnMut(&'static str, &Observation, Observation, bool) -> bool {}

impl<F: FnMut(&'static str, &Observation, Observation, bool) -> bool> Judge for F {}

/// One engine after the other, on which texts are sent in one way.
struct Line<O> {
    engine: Engine,
    isolation: Isolation,
    way: Way,
    /// What the first test of the engine saw.
    fresh: Observation,
    /// What the latest one saw that was looked at, and how many have begun since.
    last: Observation,
    tests: u32,
    observer: PhantomData<O>,
}

impl<O: Observer> Line<O> {
    async fn new(isolation: Isolation, way: Way) -> Self {
        let builder = O::engine(isolation, way).teardown_timeout(TEARDOWN_TIMEOUT);
        let engine = builder.build().await.unwrap();
        let (fresh, _) = step::<O>(&engine, isolation, None).await;
        Self {
            engine,
            isolation,
            way,
            last: fresh.clone(),
            tests: 0,
            fresh,
            observer: PhantomData,
        }
    }

    async fn hostile(&mut self, text: &'static str) -> bool {
        self.tests += 1;
        hostile::<O>(&self.engine, self.isolation, self.way, text).await
    }

    async fn step(&mut self, hostile: Option<(Way, &'static str)>) -> (Observation, bool) {
        self.tests += 1;
        step::<O>(&self.engine, self.isolation, hostile).await
    }

    /// What a test sees that comes after `tests` ordinary ones since the latest that was looked at.
    fn expected(&mut self, seen: &Observation, tests: u32) -> Observation {
        let expected = O::after_ordinary(self.isolation, &self.fresh, &self.last, tests);
        self.last = seen.clone();
        self.tests -= tests;
        expected
    }

    /// Sends each text from a test of its own, and gives `judge` what the next test saw of it, and whether the end of
    /// that which sent it was reported.
    ///
    /// Inside of transactions, a test that only looks comes after each that sends. Elsewhere a database is made for
    /// each test, so that would take twice as long: the test that looks also sends the next text. If its end is
    /// reported, that may be for the text before, so [`is_for`](Self::is_for) finds out.
    async fn send(&mut self, texts: &[&'static str], mut judge: impl Judge) {
        let is_cheap = self.isolation == Isolation::Transaction;
        // Sent last, and not looked for yet.
        let mut before: Option<&'static str> = None;
        for &text in texts {
            if is_cheap {
                let is_told = self.hostile(text).await;
                self.look(text, is_told, &mut judge).await;
                continue;
            }
            let sent = Some((self.way, text));
            let (mut seen, is_told) = self.step(sent).await;
            let tests = self.tests;
            let is_innocent = match before.filter(|_| is_told) {
                Some(before) => self.is_for(text, before).await,
                None => true,
            };
            let end = self.fresh.get("end").filter(|_| is_innocent);
            seen.extend(end.map(|end| ("end".to_owned(), end.clone())));
            let expected = self.expected(&seen, tests);
            let is_new = before.is_none_or(|before| judge(before, &expected, seen, false));
            before = Some(text);
            if !is_new {
                *self = Self::new(self.isolation, self.way).await;
                self.hostile(text).await;
            }
            if is_told || !is_new {
                self.look(text, is_told, &mut judge).await;
                before = None;
            }
        }
        if let Some(before) = before {
            self.look(before, false, &mut judge).await;
        }
    }

    /// Whether the end of a test that sent `text` was reported for that, and not for what the test before had sent. The
    /// latest test has sent `text` when this returns.
    async fn is_for(&mut self, text: &'static str, before: &'static str) -> bool {
        // What it does may depend on which connection of its test it gets, as with a lock.
        for _ in 0..TRIES {
            self.step(None).await;
            if self.step(Some((self.way, text))).await.1 {
                return true;
            }
        }
        // So a test that does nothing wrong tells what is left of the other one.
        let mut is_for = true;
        for _ in 0..TRIES {
            self.hostile(before).await;
            is_for &= !self.step(None).await.1;
        }
        self.hostile(text).await;
        is_for
    }

    /// A test that only looks for what `text` has left. If it finds that, another engine takes the place of this one.
    async fn look(&mut self, text: &'static str, is_told: bool, judge: &mut impl Judge) {
        let (seen, _) = self.step(None).await;
        let expected = self.expected(&seen, self.tests);
        if !judge(text, &expected, seen, is_told) {
            *self = Self::new(self.isolation, self.way).await;
        }
    }
}

/// What differs between two observations: keys with both values.
fn differences(fresh: &Observation, seen: &Observation) -> BTreeMap<String, (String, String)> {
    let keys = fresh.keys().chain(seen.keys());
    let value = |of: &Observation, key: &String| of.get(key).map_or("(none)", |v| v).to_owned();
    let pairs = keys.map(|key| (key.clone(), (value(fresh, key), value(seen, key))));
    pairs
        .filter(|(_, (before, after))| before != after)
        .collect()
}

/// Whether what is `allowed` covers `key` with `isolation`.
fn is_allowed(allowed: &str, isolation: Isolation, key: &str) -> bool {
    let pattern = match allowed.split_once(": ") {
        None => allowed,
        Some((only, pattern)) if only == isolation.name() => pattern,
        Some(_) => return false,
    };
    match pattern.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => key == pattern,
    }
}

/// Which texts are sent, and how.
enum Choice {
    Sample,
    All,
    /// All with this isolation.
    Only(String),
    Containing(String),
}

impl Choice {
    fn from_env() -> Self {
        match std::env::var("GREEN_LIGHT_OBSERVE") {
            Err(_) => Self::Sample,
            Ok(all) if all == "all" => Self::All,
            Ok(part) => match part.strip_prefix("all ") {
                Some(isolation) => Self::Only(isolation.to_owned()),
                None => Self::Containing(part),
            },
        }
    }

    /// Whether text number `index` is sent with this isolation and in this way: one text in [`STRIDE`] in one
    /// way, unless more is wanted.
    fn takes(&self, index: usize, text: &str, isolation: usize, way: usize) -> bool {
        match self {
            Self::All => true,
            Self::Only(name) => ISOLATIONS[isolation].name() == name,
            Self::Containing(part) => text.contains(part.as_str()),
            Self::Sample => {
                index.is_multiple_of(STRIDE) && (index / STRIDE + isolation) % WAYS.len() == way
            }
        }
    }
}

/// Sends the texts and looks what reaches the next test.
///
/// # Panics
///
/// When anything does that is not allowed, with all of it.
#[expect(clippy::print_stderr, reason = "it ends with its figures")]
pub(super) async fn nothing_reaches_the_next_test<O: Observer>() {
    let choice = Choice::from_env();
    let mut table = Table::default();
    let mut unused: Vec<_> = O::ALLOWED.iter().map(|(allowed, _)| *allowed).collect();
    for (i, isolation) in ISOLATIONS.into_iter().enumerate() {
        for (w, way) in WAYS.into_iter().enumerate() {
            let texts: Vec<_> = O::TEXTS
                .iter()
                .enumerate()
                .filter(|(index, text)| choice.takes(*index, text, i, w))
                .map(|(_, text)| *text)
                .collect();
            if texts.is_empty() {
                continue;
            }
            let judge = |text, fresh: &Observation, seen: Observation, is_told| {
                let mut differing = differences(fresh, &seen);
                let count = differing.len();
                differing.retain(|key, _| {
                    let known = O::ALLOWED.iter().map(|(allowed, _)| *allowed);
                    let known = known.filter(|allowed| is_allowed(allowed, isolation, key));
                    let known: Vec<_> = known.collect();
                    unused.retain(|allowed| !known.contains(allowed));
                    known.is_empty()
                });
                let outcome = match (differing.is_empty(), is_told, count) {
                    (false, ..) => Outcome::Leak,
                    (true, true, _) => Outcome::Told,
                    (true, false, 0) => Outcome::Clean,
                    (true, false, _) => Outcome::Allowed,
                };
                table.note(isolation, way.name(), outcome);
                if outcome == Outcome::Leak && !matches!(choice, Choice::Sample) {
                    let (isolation, way) = (isolation.name(), way.name());
                    eprintln!("LEAK: {isolation}, {way}: `{text}`: {differing:?}");
                }
                if outcome == Outcome::Leak {
                    table.leak(isolation, way.name(), text, &differing);
                }
                outcome != Outcome::Leak
            };
            let begun = std::time::Instant::now();
            Line::<O>::new(isolation, way)
                .await
                .send(&texts, judge)
                .await;
            if matches!(choice, Choice::All | Choice::Only(_)) {
                let (isolation, way) = (isolation.name(), way.name());
                eprintln!("{isolation}, {way}: {:.0} s", begun.elapsed().as_secs_f64());
            }
        }
    }
    eprintln!("\n{}: {} texts\n{table}", O::BACKEND, O::TEXTS.len());
    if matches!(choice, Choice::Only(_)) {
        for allowed in &unused {
            eprintln!("never seen: {allowed}");
        }
    }
    table.assert_tight(O::BACKEND);
    if matches!(choice, Choice::All) {
        assert!(
            unused.is_empty(),
            "never seen, so not to be allowed: {unused:?}"
        );
    }
}

/// How many of the texts change what their own test observes: those at least would be seen if they reached
/// another one.
pub(super) async fn visible<O: Observer>(
    texts: impl Iterator<Item = &'static &'static str>,
) -> usize {
    let engine = O::engine(Isolation::Database, Way::Sqlx);
    let engine = engine.build().await.unwrap();
    let mut seen = 0;
    for text in texts {
        let test = engine.isolate(Isolation::Database, "observe::own").await;
        let test = test.unwrap();
        let session = test.session();
        let before = O::observe(&session).await;
        drop(tokio::time::timeout(BOUND, O::send(&session, Way::Sqlx, text)).await);
        seen += usize::from(before != O::observe(&session).await);
        drop(session);
        let _ = test.finish().await;
    }
    seen
}

/// The corpus has no text twice, and is as large as was promised.
pub(super) fn corpus_is_large<O: Observer>() {
    let mut texts = O::TEXTS.to_vec();
    texts.sort_unstable();
    let twice: Vec<_> = texts
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(texts.len() >= 300, "{} texts", texts.len());
}

/// What is allowed stands in the documentation, with its reason, and nothing else does.
pub(super) fn documentation_has_what_is_allowed<O: Observer>() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/docs/traps.md");
    let documentation = std::fs::read_to_string(path).unwrap();
    let rows = rows(&documentation, "What a test may see of another");
    let of = O::BACKEND.to_string();
    let documented: Vec<_> = rows
        .iter()
        .filter(|row| row[0].to_lowercase().contains(&of.to_lowercase()))
        .map(|row| (row[1].trim_matches('`'), row[2].as_str()))
        .collect();
    assert_eq!(documented, O::ALLOWED, "in `{path}`, and in the test");
}

/// The tests of what one observer sees.
macro_rules! observer_tests {
    ($observer:ident) => {
        #[test]
        fn nothing_reaches_the_next_test() {
            $crate::support::run(frame::nothing_reaches_the_next_test::<$observer>());
        }

        $crate::observe::frame::observer_tests!($observer, without the first);
    };
    ($observer:ident, without the first) => {
        #[test]
        fn the_corpus_is_large() {
            frame::corpus_is_large::<$observer>();
        }

        #[test]
        fn what_is_allowed_is_documented() {
            frame::documentation_has_what_is_allowed::<$observer>();
        }
    };
}

pub(super) use observer_tests;
