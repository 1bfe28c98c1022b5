//! Tests on databases: each backend with each isolation, and the first test of a process.

use super::backend::{BACKENDS, BY_HAND, Backend, GREEN_LIGHT};
use super::binary::{Binary, take_turns};
use super::project::{MIGRATIONS, Project};
use super::servers::Servers;
use super::timing::{best, further};
use super::{hand_out, table};

/// Tests that make a database take their turn in one of so many rounds.
const SELDOM: usize = 3;
/// Those of `#[sqlx::test]`, which run all migrations, in one of so many.
const RARELY: usize = 7;
/// How many tests that make a database take turns.
const FEW: u32 = 50;

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
        let few = |isolation| {
            let binary = self.session(isolation)?.first("one", FEW);
            Ok::<_, String>(binary.every(SELDOM))
        };
        let turns = [
            &transaction.clone().first("one", 1),
            &transaction.clone().only("one"),
            &transaction.only("two"),
            &by_hand.clone().first("one", 1),
            &by_hand.clone().only("one"),
            &by_hand.only("two"),
            &few("database")?,
            &few("shared")?,
            &self.sqlx()?,
        ];
        let times = take_turns(&turns, 1, rounds)?;
        let [
            begin,
            one,
            two,
            begin_by_hand,
            one_by_hand,
            two_by_hand,
            own,
            shared,
            sqlx,
        ] = &times[..]
        else {
            return Err("a binary had no turn".to_owned());
        };
        // How a process begins is measured by `start`.
        let tests = GREEN_LIGHT.tests();
        let [one, two] = [one, two].map(|times| further(times, tests, begin));
        let by_hand = [one_by_hand, two_by_hand].map(|times| further(times, tests, begin_by_hand));
        let [own, shared, sqlx] = [own, shared, sqlx].map(|times| best(times));
        let name = self.backend.name;
        let what = format!("a test with a session, {name}");
        table::ratio(&what, one, "by hand", by_hand[0], 1.5);
        table::ratio(&what, one, "#[sqlx::test]", sqlx, 0.01);
        table::time(&what, one, self.backend.most);
        let what = format!("with two transactions inside, {name}");
        table::ratio(&what, two, "by hand", by_hand[1], 1.5);
        let what = format!("isolation = database, {name}");
        match self.backend.own {
            Some(limit) => table::ratio(&what, own, "#[sqlx::test]", sqlx, limit),
            None => table::told(&what, own, "#[sqlx::test]", sqlx),
        }
        let what = format!("isolation = shared, {name}");
        table::told(&what, shared, "#[sqlx::test]", sqlx);
        Ok(())
    }

    /// What a database of its own costs a test when there are more migrations.
    fn growth(&self, rounds: usize) -> Result<(), String> {
        let mut binaries = Vec::new();
        for count in MIGRATIONS {
            let binary = self.session("database")?.first("one", FEW);
            binaries.push(binary.env("BENCH_MIGRATIONS", self.project.migrations(count)));
        }
        let turns: Vec<&Binary> = binaries.iter().collect();
        let times = take_turns(&turns, 1, rounds.div_ceil(SELDOM))?;
        let few = format!("{} migrations", MIGRATIONS[0]);
        for (count, time) in MIGRATIONS.iter().zip(&times).skip(1) {
            let what = format!("isolation = database, {count} migrations");
            table::ratio(&what, best(time), &few, best(&times[0]), 1.5);
        }
        Ok(())
    }
}
