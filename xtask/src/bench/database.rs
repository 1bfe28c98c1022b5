//! Tests on databases: each backend with each isolation, and the first test of a process.

use std::time::Duration;

use super::backend::{BACKENDS, BY_HAND, Backend, GREEN_LIGHT};
use super::binary::{Binary, take_turns};
use super::project::{MIGRATIONS, Project};
use super::servers::Servers;
use super::timing::{best, between};
use super::{hand_out, table};

/// Tests that make a database take their turn in one of so many rounds.
const SELDOM: usize = 3;
/// Those of `#[sqlx::test]`, which run all migrations, in one of so many.
const RARELY: usize = 7;
/// How many tests that make a database take turns.
const MANY: u32 = 100;
/// The same if each of them takes long.
const FEW: u32 = 20;
/// How long a test that takes long has nothing to do.
const PAUSE: Duration = Duration::from_millis(100);

/// Measures each isolation on each backend.
///
/// # Errors
///
/// If something cannot be run, or a server is missing: then once all others have been measured.
pub(crate) fn measure(project: &Project, rounds: usize) -> Result<(), String> {
    on_each(project, |tests| {
        tests.isolations(rounds)?;
        if tests.backend.key == "postgres" {
            tests.growth(rounds)?;
            hand_out::measure(project, tests.url, rounds)?;
        }
        Ok(())
    })
}

/// Measures how long a process takes that runs one test, on each backend.
///
/// # Errors
///
/// As [`measure`].
pub(crate) fn start(project: &Project, rounds: usize) -> Result<(), String> {
    on_each(project, |tests| {
        let ours = tests.session("transaction")?.first("one", 1);
        let by_hand = tests.by_hand()?.first("one", 1);
        let times = take_turns(&[&ours, &by_hand], 1, rounds)?;
        let what = format!("a process with one test, {}", tests.backend.name);
        table::told(&what, best(&times[0]), "by hand", best(&times[1]));
        Ok(())
    })
}

/// Runs `work` for each backend that has a server, or needs none.
fn on_each(project: &Project, work: impl Fn(&Tests) -> Result<(), String>) -> Result<(), String> {
    let servers = Servers::start(project)?;
    let mut missing = Vec::new();
    for backend in &BACKENDS {
        match servers.url(backend.key) {
            Some(url) => work(&Tests {
                backend,
                url,
                project,
            })?,
            None => missing.push(backend.name),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "not measured, for what is said above: {}",
        missing.join(", ")
    ))
}

/// The tests of one backend.
struct Tests<'a> {
    backend: &'a Backend,
    /// Of an empty database.
    url: &'a str,
    project: &'a Project,
}

impl Tests<'_> {
    /// With the `session` of green-light.
    fn session(&self, isolation: &str) -> Result<Binary, String> {
        let binary = self.project.binary(&GREEN_LIGHT)?;
        Ok(binary
            .env("BENCH_BACKEND", self.backend.key)
            .env("BENCH_MIGRATIONS", self.project.migrations(MIGRATIONS[0]))
            .env("GREEN_LIGHT_ISOLATION", isolation))
    }

    /// With begin and rollback on a kept connection.
    fn by_hand(&self) -> Result<Binary, String> {
        let binary = self.project.binary(&BY_HAND)?;
        Ok(binary
            .env("DATABASE_URL", self.url)
            .env("BENCH_MIGRATIONS", self.project.migrations(MIGRATIONS[0])))
    }

    /// With a database and ten migrations in each.
    fn sqlx(&self) -> Result<Binary, String> {
        let binary = self.project.binary(&self.backend.sqlx)?;
        Ok(binary.env("DATABASE_URL", self.url).every(RARELY))
    }

    fn isolations(&self, rounds: usize) -> Result<(), String> {
        let (transaction, by_hand) = (self.session("transaction")?, self.by_hand()?);
        let some = |isolation, tests| {
            let binary = self.session(isolation)?.first("one", tests);
            Ok::<_, String>(binary.every(SELDOM))
        };
        let turns = [
            &transaction.clone().only("one"),
            &by_hand.clone().only("one"),
            &transaction.only("two"),
            &by_hand.only("two"),
            &some("database", MANY)?,
            &some("database", FEW)?.env("BENCH_PAUSE", milliseconds(PAUSE)),
            &some("shared", MANY)?,
            &self.sqlx()?,
        ];
        let times = take_turns(&turns, 1, rounds)?;
        let [
            one,
            one_by_hand,
            two,
            two_by_hand,
            own_times,
            with_pause,
            shared,
            sqlx,
        ] = &times[..]
        else {
            return Err("a binary had no turn".to_owned());
        };
        let [
            one,
            one_by_hand,
            two,
            two_by_hand,
            with_pause,
            shared,
            one_sqlx,
        ] = [one, one_by_hand, two, two_by_hand, with_pause, shared, sqlx]
            .map(|times| between(times));
        let (name, peer) = (self.backend.name, "`#[sqlx::test]`");
        let what = format!("a test with a session, {name}");
        table::ratio(&what, one, "by hand", one_by_hand, 1.5);
        table::ratio(&what, one, peer, one_sqlx, 0.01);
        table::time(&what, one, self.backend.most);
        let what = format!("with two transactions inside, {name}");
        table::ratio(&what, two, "by hand", two_by_hand, 1.5);
        let what = format!("isolation = database, {name}");
        let own = |what: &str, ours, theirs| match self.backend.own {
            Some(limit) => table::ratio(what, ours, peer, theirs, limit),
            None => table::told(what, ours, peer, theirs),
        };
        // What is made and dropped behind the tests counts, to the end of the process.
        own(&what, best(own_times), best(sqlx));
        let what = format!("isolation = database, {name}, with pauses");
        own(&what, with_pause, one_sqlx);
        let what = format!("isolation = shared, {name}");
        table::told(&what, shared, peer, one_sqlx);
        Ok(())
    }

    /// What a database of its own costs a test when there are more migrations.
    fn growth(&self, rounds: usize) -> Result<(), String> {
        let mut binaries = Vec::new();
        for count in MIGRATIONS {
            let binary = self.session("database")?;
            let binary = binary.env("BENCH_MIGRATIONS", self.project.migrations(count));
            binaries.push(binary.clone().first("one", MANY));
            binaries.push(
                binary
                    .first("one", FEW)
                    .env("BENCH_PAUSE", milliseconds(PAUSE)),
            );
        }
        let turns: Vec<&Binary> = binaries.iter().collect();
        let times = take_turns(&turns, 1, rounds.div_ceil(SELDOM))?;
        let costs: Vec<_> = times
            .chunks(2)
            .map(|times| (best(&times[0]), between(&times[1])))
            .collect();
        let few = format!("{} migrations", MIGRATIONS[0]);
        for (count, cost) in MIGRATIONS.iter().zip(&costs).skip(1) {
            let what = format!("isolation = database, {count} migrations");
            table::ratio(&what, cost.0, &few, costs[0].0, 1.5);
            let what = format!("{what}, with pauses");
            table::ratio(&what, cost.1, &few, costs[0].1, 1.5);
        }
        Ok(())
    }
}

fn milliseconds(time: Duration) -> String {
    time.as_millis().to_string()
}
