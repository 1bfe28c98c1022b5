//! `cargo xtask observe`: what a hostile test leaves for the next one to see.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command as Process, Stdio},
    thread,
    time::Instant,
};

use super::list::Command;
use crate::{build, leftover, target};

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "observe",
    about: "looks whether anything that one test does is seen by the next",
    details: "\
DATABASE    `sqlite`, `postgres` or `mysql`; without it, one after the other

Each text of a large corpus is sent by a test of its own, in all three isolations and in every way that leads to a
database. All that the next test can observe is compared with what the first test observed. The isolations run side
by side, each on a server of its own. Prints a table of what became of the texts; fails if anything was seen that the
table in src/docs/traps.md does not allow. Takes some minutes a database; CI runs a sample of it.",
    run,
};

const DATABASES: [&str; 3] = ["sqlite", "postgres", "mysql"];
const ISOLATIONS: [&str; 3] = ["transaction", "database", "shared"];

/// What becomes of a text, as the tests count it. One that leaks must not be there.
const OUTCOMES: [&str; 4] = ["clean", "told", "allowed", "LEAK"];

pub(super) fn run(arguments: &[String]) -> Result<(), String> {
    let chosen = match arguments {
        [] => DATABASES.to_vec(),
        [name] if DATABASES.contains(&name.as_str()) => vec![name.as_str()],
        _ => {
            return Err(format!(
                "unexpected arguments `{}`\n  help: write one of `{}`, or nothing for all of them",
                arguments.join(" "),
                DATABASES.join("`, `")
            ));
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = root.ok_or("xtask stands in no workspace")?;
    let arguments = [
        "--locked",
        "--all-features",
        "-pgreen-light-fixtures",
        "--test=it",
    ];
    let built = build::tests(root, &arguments)?;
    let program = built
        .get("it")
        .ok_or("the tests of green-light-fixtures have no `it`")?;
    let directory = root.join("green-light-fixtures");
    let mut failures = Vec::new();
    for database in chosen {
        failures.extend(observe(program, &directory, database)?);
    }
    match failures.is_empty() {
        true => Ok(()),
        false => Err(failures.join("\n")),
    }
}

/// What is wrong with a database, after its table was printed.
fn observe(program: &Path, directory: &Path, database: &str) -> Result<Vec<String>, String> {
    let (begun, base) = (Instant::now(), target::directory().join("observe"));
    println!("\n==> {database}: {} side by side", ISOLATIONS.join(", "));
    let observed = thread::scope(|scope| {
        let isolations = ISOLATIONS.map(|isolation| {
            let files = base.join(format!("{database}-{isolation}"));
            scope.spawn(move || one(program, directory, &files, database, isolation))
        });
        isolations.map(|isolation| match isolation.join() {
            Ok(observed) => observed,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    });
    leftover::none_in(std::slice::from_ref(&base))?;
    let removed = fs::remove_dir_all(&base);
    removed.map_err(|error| format!("`{}` cannot be removed: {error}", base.display()))?;
    let observed: Vec<_> = observed.into_iter().collect::<Result<_, _>>()?;
    let rows: Vec<_> = observed
        .iter()
        .flat_map(|observed| &observed.rows)
        .collect();
    println!(
        "\n{database}, in {} s\n{}",
        begun.elapsed().as_secs(),
        table(&rows)
    );
    let mut failures = Vec::new();
    for (isolation, observed) in ISOLATIONS.iter().zip(&observed) {
        if !observed.has_passed {
            failures.push(format!(
                "{database}, {isolation}: the test failed, as is said above"
            ));
        }
        if observed.rows.is_empty() {
            failures.push(format!("{database}, {isolation}: nothing was counted"));
        }
    }
    let unseen = observed.iter().map(|observed| observed.unseen.clone());
    let unseen = unseen
        .reduce(|all, unseen| &all & &unseen)
        .unwrap_or_default();
    failures.extend(unseen.iter().map(|allowed| {
        format!("{database}: `{allowed}` was never seen, so it is not to be allowed in src/docs/traps.md")
    }));
    Ok(failures)
}

/// What was observed with one isolation.
#[derive(Default)]
struct Observed {
    rows: Vec<Row>,
    /// What is allowed and was not seen.
    unseen: BTreeSet<String>,
    has_passed: bool,
}

/// One way with one isolation.
#[derive(Debug, PartialEq)]
struct Row {
    isolation: String,
    way: String,
    counts: [usize; OUTCOMES.len()],
}

impl Row {
    /// The row in a line of the tests' table.
    fn of(line: &str, isolation: &str) -> Option<Self> {
        let rest = line.trim_start().strip_prefix(isolation)?;
        let mut words: Vec<_> = rest.split_whitespace().collect();
        let way = words
            .len()
            .checked_sub(OUTCOMES.len())
            .filter(|way| *way > 0)?;
        let counts = words.split_off(way);
        let mut numbers = [0; OUTCOMES.len()];
        for (number, count) in numbers.iter_mut().zip(counts) {
            *number = count.parse().ok()?;
        }
        Some(Self {
            isolation: isolation.to_owned(),
            way: words.join(" "),
            counts: numbers,
        })
    }
}

/// Observes with one isolation, with all files below `files`. What the test prints is shown as it comes, but for its
/// table.
fn one(
    program: &Path,
    directory: &Path,
    files: &Path,
    database: &str,
    isolation: &str,
) -> Result<Observed, String> {
    fs::create_dir_all(files)
        .map_err(|error| format!("`{}` cannot be made: {error}", files.display()))?;
    let mut test = Process::new(program);
    test.args(["--exact", "--nocapture"])
        .arg(format!(
            "observe::{database}::nothing_reaches_the_next_test"
        ))
        .env("CARGO_MANIFEST_DIR", directory)
        .env("GREEN_LIGHT_OBSERVE", format!("all {isolation}"))
        .env("GREEN_LIGHT_DIR", files)
        .env_remove("GREEN_LIGHT_POSTGRES_URL")
        .env_remove("GREEN_LIGHT_MYSQL_URL")
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let cannot = |error| format!("`{}` could not be started: {error}", program.display());
    let mut test = test.spawn().map_err(cannot)?;
    let mut observed = Observed::default();
    let lines = test
        .stderr
        .take()
        .map(|stderr| BufReader::new(stderr).lines());
    for line in lines.into_iter().flatten() {
        let line = line.map_err(|error| format!("what a test says cannot be read: {error}"))?;
        if let Some(row) = Row::of(&line, isolation) {
            observed.rows.push(row);
        } else if let Some(allowed) = line.strip_prefix("never seen: ") {
            observed.unseen.insert(allowed.to_owned());
        } else if !is_of_table(&line) {
            eprintln!("{line}");
        }
    }
    let ended = test
        .wait()
        .map_err(|error| format!("a test was lost: {error}"))?;
    observed.has_passed = ended.success();
    Ok(observed)
}

/// Whether a line is the head or the foot of the tests' table, which is printed for all isolations together.
fn is_of_table(line: &str) -> bool {
    let words: Vec<_> = line.split_whitespace().collect();
    matches!(
        words.as_slice(),
        [] | ["isolation", ..] | ["all", ..] | [_, _, "texts"]
    )
}

/// The rows as one table, with their sum.
fn table(rows: &[&Row]) -> String {
    let line = |isolation: &str, way: &str, cells: [String; OUTCOMES.len()]| {
        let cells = cells.map(|cell| format!("{cell:>9}")).concat();
        format!("  {isolation:12} {way:24}{cells}\n")
    };
    let mut text = line("isolation", "way", OUTCOMES.map(str::to_owned));
    let mut sums = [0; OUTCOMES.len()];
    for row in rows {
        for (sum, count) in sums.iter_mut().zip(row.counts) {
            *sum += count;
        }
        text.push_str(&line(
            &row.isolation,
            &row.way,
            row.counts.map(|count| count.to_string()),
        ));
    }
    text.push_str(&line("all", "", sums.map(|sum| sum.to_string())));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_arguments_are_refused() {
        for arguments in [vec!["oracle"], vec!["sqlite", "mysql"]] {
            let arguments: Vec<_> = arguments.into_iter().map(str::to_owned).collect();
            let error = run(&arguments).unwrap_err();
            assert!(error.contains("`sqlite`, `postgres`, `mysql`"), "{error}");
        }
    }

    #[test]
    fn rows_of_the_tests_are_read_and_summed_up() {
        let lines = [
            "  isolation    way                         clean     told  allowed     LEAK",
            "  shared       SeaORM                        120        4        3        0",
            "  shared       SeaORM, begin .. commit         7        0        0        1",
            "shared, SeaORM: 12 s",
            "  all                                        127        4        3        1",
        ];
        let rows: Vec<_> = lines
            .iter()
            .filter_map(|line| Row::of(line, "shared"))
            .collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].way, "SeaORM, begin .. commit");
        assert_eq!(rows[1].counts, [7, 0, 0, 1]);
        let of_table: Vec<_> = lines.iter().map(|line| is_of_table(line)).collect();
        assert_eq!(of_table, [true, false, false, false, true]);
        let rows: Vec<_> = rows.iter().collect();
        let text = table(&rows);
        assert_eq!(
            text.lines().map(str::to_owned).collect::<Vec<_>>(),
            [lines[0], lines[1], lines[2], lines[4]]
        );
    }
}
