//! How often the code of migrations runs: once for a template, and at most once before that, to read what
//! it sends. A process that finds its template runs none.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, SystemTime},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use sea_orm_migration::prelude::*;

use crate::{
    children::{output, part, playing, playing_with, say},
    support::number,
};

/// The file in which each `up` writes that it runs.
const RUNS: &str = "TEST_MIGRATION_RUNS";
/// What makes the migrations of a test other ones than those of its last run.
const MARK: &str = "TEST_MIGRATION_MARK";

/// What a migration does.
#[derive(Clone, Copy)]
enum Does {
    /// Makes a table with three rows.
    Table,
    /// Changes rows until there is none left to change.
    Batches,
    /// Cannot do without a row.
    Asks,
    /// Does not end the first time.
    Hangs,
    /// Goes on after a statement that fails.
    Forgives,
}

struct Migration {
    name: String,
    does: Does,
}

impl MigrationName for Migration {
    fn name(&self) -> &str {
        &self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_first = !runs(&path()).contains_key(&self.name);
        let mut file = File::options().append(true).create(true).open(path());
        writeln!(file.as_mut().unwrap(), "{}", self.name).unwrap();
        let db = manager.get_connection();
        match self.does {
            Does::Table => {
                for sql in [
                    "CREATE TABLE one (x INT, y INT)",
                    "INSERT INTO one (x) VALUES (1), (2), (3)",
                ] {
                    db.execute_unprepared(sql).await?;
                }
            }
            Does::Batches => {
                let sql = "UPDATE one SET y = x WHERE y IS NULL";
                while db.execute_unprepared(sql).await?.rows_affected() > 0 {}
            }
            Does::Asks => {
                let sql = "SELECT count(*) AS n FROM one";
                let sql = Statement::from_string(db.get_database_backend(), sql);
                let row = db.query_one_raw(sql).await.unwrap().unwrap();
                assert_eq!(row.try_get::<i64>("", "n")?, 3);
            }
            Does::Hangs if is_first => tokio::time::sleep(Duration::from_secs(60 * 60)).await,
            Does::Hangs => {}
            Does::Forgives => {
                let table = Table::drop().table("nowhere").to_owned();
                drop(manager.drop_table(table).await);
            }
        }
        Ok(())
    }
}

/// A list of migrations. Their kinds differ by a number, which Rust has for types.
struct Migrations<const KIND: usize>;

const PLAIN: usize = 0;
const BATCHED: usize = 1;
const HANGING: usize = 2;
const FORGIVING: usize = 3;

impl<const KIND: usize> MigratorTrait for Migrations<KIND> {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let does: &[_] = match KIND {
            PLAIN => &[Does::Table],
            BATCHED => &[Does::Table, Does::Asks, Does::Batches],
            HANGING => &[Does::Table, Does::Hangs],
            _ => &[Does::Table, Does::Forgives],
        };
        let mark = env::var(MARK).unwrap();
        let migration = |(number, does): (usize, &Does)| -> Box<dyn MigrationTrait> {
            let name = format!("m{number}_{mark}");
            Box::new(Migration { name, does: *does })
        };
        does.iter().enumerate().map(migration).collect()
    }
}

fn path() -> PathBuf {
    env::var_os(RUNS).unwrap().into()
}

/// How often each migration has run.
fn runs(path: &Path) -> BTreeMap<String, usize> {
    let mut runs = BTreeMap::new();
    for name in fs::read_to_string(path).unwrap_or_default().lines() {
        *runs.entry(name.to_owned()).or_default() += 1;
    }
    runs
}

/// One process: looks at a database whose schema is of `kind`.
async fn look(backend: Backend, kind: usize) {
    let schema = match kind {
        PLAIN => Schema::migrations::<Migrations<PLAIN>>(),
        BATCHED => Schema::migrations::<Migrations<BATCHED>>(),
        HANGING => Schema::migrations::<Migrations<HANGING>>(),
        _ => Schema::migrations::<Migrations<FORGIVING>>(),
    };
    let engine = Engine::builder().backend(backend).schema(schema);
    let engine = engine.build().await.unwrap();
    let session = engine.session(Isolation::Database).await.unwrap();
    assert_eq!(number(&session, "SELECT count(*) FROM one").await, 3);
    if kind == BATCHED {
        let left = "SELECT count(*) FROM one WHERE y IS NULL";
        assert_eq!(number(&session, left).await, 0);
    }
    session.finish().await.unwrap();
    say("built", &engine.stats().templates_built.to_string());
}

/// Runs processes that have migrations of their own.
struct Processes {
    directory: tempfile::TempDir,
    mark: String,
    test: String,
}

impl Processes {
    fn of(test: &str, backend: Backend) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self {
            directory: tempfile::tempdir().unwrap(),
            mark: format!("{}", now.unwrap().as_nanos()),
            test: format!("schema_migrations::{backend}::{test}"),
        }
    }

    fn with(&self, mut command: Command) -> Command {
        command.env(RUNS, self.runs_file()).env(MARK, &self.mark);
        command
    }

    fn runs_file(&self) -> PathBuf {
        self.directory.path().join("runs")
    }

    fn runs(&self) -> BTreeMap<String, usize> {
        runs(&self.runs_file())
    }

    fn at_once(&self, number: usize) -> Seen {
        let start = |_| self.with(playing(&self.test, "look")).spawn().unwrap();
        let children: Vec<_> = (0..number).map(start).collect();
        Seen::of(children.into_iter().map(output))
    }

    /// The same by another build of the program, beside this one.
    fn of_another_build(&self) -> Seen {
        let program = env::current_exe().unwrap();
        let other = program.with_file_name(format!("it-{}", self.mark));
        // By a process of its own: another test that starts a process meanwhile would hand it our open file,
        // and no program runs that is open for writing ("text file busy").
        let made = Command::new("sh")
            .args(["-c", r#"cp "$1" "$2" && printf %s "$3" >>"$2""#, "sh"])
            .args([&program, &other])
            .arg(&self.mark)
            .status();
        assert!(made.unwrap().success());
        let child = self
            .with(playing_with(other.clone(), &self.test, "look"))
            .spawn();
        let seen = Seen::of([output(child.unwrap())]);
        fs::remove_file(other).unwrap();
        seen
    }
}

/// What processes have said.
struct Seen {
    built: usize,
    stderr: String,
}

impl Seen {
    #[track_caller]
    fn of(outputs: impl IntoIterator<Item = Output>) -> Self {
        let (mut built, mut stderr) = (0, String::new());
        for output in outputs {
            let said = String::from_utf8(output.stdout).unwrap();
            stderr += &String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{said}\n{stderr}");
            built += said.matches("built=1\n").count();
        }
        Self { built, stderr }
    }
}

async fn migrations_are_read_once_built_once_and_found_by_other_builds(backend: Backend) {
    if part().is_some() {
        return look(backend, PLAIN).await;
    }
    let test = "migrations_are_read_once_built_once_and_found_by_other_builds";
    let processes = Processes::of(test, backend);
    assert_eq!(processes.at_once(6).built, 1);
    let runs = processes.runs();
    assert!(runs.values().eq([&2]), "read and built: {runs:?}");
    assert_eq!(processes.at_once(2).built, 0);
    assert_eq!(processes.runs(), runs, "a warm process runs none");
    assert_eq!(processes.of_another_build().built, 0, "it sends the same");
    assert!(processes.runs().values().eq([&3]), "read: {runs:?}");
}

async fn a_migration_that_works_in_batches_ends_and_is_read_once(backend: Backend) {
    if part().is_some() {
        return look(backend, BATCHED).await;
    }
    let test = "a_migration_that_works_in_batches_ends_and_is_read_once";
    let processes = Processes::of(test, backend);
    let seen = processes.at_once(6);
    assert_eq!(seen.built, 1);
    assert_eq!(
        seen.stderr.matches("panicked").count(),
        0,
        "{}",
        seen.stderr
    );
    let runs = processes.runs();
    // The question of the second one ends the reading.
    assert!(runs.values().eq([&2, &2, &1]), "{runs:?}");
    assert_eq!(processes.at_once(2).built, 0);
    assert_eq!(processes.runs(), runs, "a warm process runs none");
    assert_eq!(
        processes.of_another_build().built,
        1,
        "nothing is known of it"
    );
}

/// Whether green-light says more in `line` than what it waits for on a machine that is busy.
fn is_news(line: &str) -> bool {
    let waits = [
        "building the database of the schema made at ",
        "dropping the databases of this process on ",
        "s: the databases of this process on ",
    ];
    line.contains("green-light: ") && !waits.iter().any(|wait| line.contains(wait))
}

async fn a_migration_that_does_not_end_without_a_database_is_told_once(backend: Backend) {
    if part().is_some() {
        return look(backend, HANGING).await;
    }
    let test = "a_migration_that_does_not_end_without_a_database_is_told_once";
    let processes = Processes::of(test, backend);
    let seen = processes.at_once(3);
    assert_eq!(seen.built, 1);
    let told = format!("`m1_{}` had not ended after 2s", processes.mark);
    assert_eq!(seen.stderr.matches(&told).count(), 1, "{}", seen.stderr);
    assert_eq!(seen.stderr.matches(".key(").count(), 1, "{}", seen.stderr);
    let seen = processes.at_once(2);
    assert_eq!(seen.built, 0);
    let told: Vec<&str> = seen.stderr.lines().filter(|line| is_news(line)).collect();
    assert!(told.is_empty(), "{told:?}");
    let runs = processes.runs();
    assert!(runs.values().eq([&2, &2]), "{runs:?}");
}

async fn a_statement_that_may_fail_makes_each_build_of_the_program_another_schema(
    backend: Backend,
) {
    if part().is_some() {
        return look(backend, FORGIVING).await;
    }
    let test = "a_statement_that_may_fail_makes_each_build_of_the_program_another_schema";
    let processes = Processes::of(test, backend);
    assert_eq!(processes.at_once(1).built, 1);
    assert_eq!(processes.of_another_build().built, 1);
}

on_each_backend!(
    migrations_are_read_once_built_once_and_found_by_other_builds,
    a_migration_that_works_in_batches_ends_and_is_read_once,
    a_migration_that_does_not_end_without_a_database_is_told_once,
    a_statement_that_may_fail_makes_each_build_of_the_program_another_schema,
);
