//! Two crates with equal tests, in two checkouts, run by cargo and by nextest at the same time.
//!
//! A runner between them and the test programs gives each checkout a directory for its servers, which
//! is what a target directory of its own would do, without a build of its own.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take on a machine that has other things to do.
const LONG: Duration = Duration::from_secs(180);

const CRATES: [&str; 2] = ["one", "two"];

/// Three backends for each name.
const TESTS: usize = 17 * 3;

const MANIFEST: &str = r#"[package]
name = "NAME"
version = "0.0.0"
edition = "2024"
autotests = false

[dependencies]

[dev-dependencies]
green-light = { path = "..", features = ["postgres", "mysql"] }
sea-orm = { workspace = true, features = ["macros"] }

[[test]]
name = "api"
path = "tests/api.rs"
"#;

/// Runs a test program from the directory `$TWINS_HOME`, whatever the directory it was built in.
const RUNNER: &str = r#"program=$1
shift
here=$TWINS_HOME/${program##*/}
ln "$program" "$here" 2>/dev/null || cp -n "$program" "$here"
exec "$here" "$@"
"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn target() -> PathBuf {
    let program = std::env::current_exe().expect("this is a program");
    let target = program
        .ancestors()
        .find(|path| path.join("CACHEDIR.TAG").is_file());
    target.expect("cargo has made it").to_owned()
}

/// A checkout of the workspace with the twins in it, whose tests are built.
fn checkout(name: &str) -> PathBuf {
    // Always the same place, so that it is built once.
    let checkout = target().join("twins").join(name);
    let _ = fs::remove_dir_all(&checkout);
    fs::create_dir_all(&checkout).unwrap();
    for entry in fs::read_dir(root()).unwrap().flatten() {
        let name = entry.file_name();
        if !["Cargo.toml", "Cargo.lock", "target", ".git"]
            .map(Into::into)
            .contains(&name)
        {
            symlink(entry.path(), checkout.join(name)).unwrap();
        }
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = format!(
        "members = [{}, ",
        CRATES.map(|name| format!("{name:?}")).join(", ")
    );
    let workspace = workspace.replacen("members = [", &members, 1);
    fs::write(checkout.join("Cargo.toml"), workspace).unwrap();
    fs::copy(root().join("Cargo.lock"), checkout.join("Cargo.lock")).unwrap();
    for name in CRATES {
        let tests = checkout.join(name).join("tests");
        fs::create_dir_all(&tests).unwrap();
        fs::write(
            checkout.join(name).join("Cargo.toml"),
            MANIFEST.replace("NAME", name),
        )
        .unwrap();
        fs::create_dir(checkout.join(name).join("src")).unwrap();
        fs::write(checkout.join(name).join("src/lib.rs"), "").unwrap();
        fs::copy(root().join("tests/twin/api.rs"), tests.join("api.rs")).unwrap();
    }
    let mut build = cargo(&checkout, &["test", "--no-run"]);
    let output = build.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    checkout
}

/// Both checkouts; built by the first test that asks.
fn checkouts() -> &'static [PathBuf; 2] {
    static BOTH: OnceLock<[PathBuf; 2]> = OnceLock::new();
    BOTH.get_or_init(|| ["here", "there"].map(checkout))
}

/// A cargo with the tests of both crates before it. With all features, it builds no crate of others again.
fn cargo(checkout: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(arguments)
        .args(["--offline", "--workspace", "--all-features"])
        .args(["--test", "api"])
        .current_dir(checkout)
        .env("CARGO_TARGET_DIR", target())
        .env_remove("NEXTEST")
        .env_remove("NEXTEST_RUN_ID")
        .env_remove("GREEN_LIGHT_POSTGRES_URL")
        .env_remove("GREEN_LIGHT_MYSQL_URL")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

const CARGO_TEST: &[&str] = &["test"];
const NEXTEST: &[&str] = &["nextest", "run", "--no-fail-fast"];

/// Where the test programs of some runs seem to have been built, and so where their servers are.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        // Short, for sockets; and other users have to get there.
        let place = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir_in("/tmp")
            .unwrap();
        let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
        fs::write(place.path().join("CACHEDIR.TAG"), tag).unwrap();
        fs::write(place.path().join("runner.sh"), RUNNER).unwrap();
        Self(place)
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("log")
    }

    /// Runs the tests of `checkout` from here.
    fn run(&self, checkout: &Path, arguments: &[&str]) -> Command {
        let mut command = cargo(checkout, arguments);
        let runner = format!("CARGO_TARGET_{}_RUNNER", triple());
        let script = self.0.path().join("runner.sh");
        command
            .env(runner, format!("sh {}", script.display()))
            .env("TWINS_HOME", self.0.path())
            .env("TWINS_LOG", self.log());
        command
    }

    /// The processes with something of this place among their arguments.
    fn processes(&self) -> Vec<String> {
        let place = format!("{}/", self.0.path().display());
        let listed = Command::new("ps").args(["-A", "-o", "pid=,args="]).output();
        let listed = String::from_utf8_lossy(&listed.unwrap().stdout).into_owned();
        let ours = listed.lines().filter(|line| line.contains(&place));
        ours.map(str::to_owned).collect()
    }

    /// What was built here, by which process, on which backend.
    fn builds(&self) -> BTreeSet<String> {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let built = log.lines().filter(|line| !line.ends_with(" 0"));
        built.map(str::to_owned).collect()
    }

    /// Whoever asked, each template was built once.
    fn expect_one_build_each(&self) {
        let builds = self.builds();
        let of = |backend: &str| {
            let word = format!(" {backend} ");
            builds.iter().filter(|line| line.contains(&word)).count()
        };
        let built = ["sqlite", "postgres", "mysql"].map(of);
        assert_eq!(built, [1; 3], "{builds:?}");
    }

    /// Nothing of any run is left: no database, no file of one, and after a while no server.
    fn expect_nothing_left(&self, checkout: &Path) {
        // Processes that had one test each leave some to the next that comes.
        expect_success(self.run(checkout, CARGO_TEST).spawn().unwrap());
        let mut look = self.run(checkout, CARGO_TEST);
        look.args(["--", "--ignored"]);
        expect_success(look.spawn().unwrap());
        eventually(|| self.processes());
        let directory = self.0.path().join("green-light");
        let files = fs::read_dir(directory).unwrap().flatten();
        let files: Vec<_> = files
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().contains("/process-"))
            .collect();
        assert_eq!(files, Vec::<PathBuf>::new());
    }
}

/// This machine, as cargo writes it in the names of variables.
fn triple() -> String {
    let told = Command::new("rustc").arg("-vV").output().unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap().to_uppercase().replace('-', "_")
}

/// Waits until there is nothing any more.
#[track_caller]
fn eventually(left: impl Fn() -> Vec<String>) {
    let begun = Instant::now();
    loop {
        let left = left();
        if left.is_empty() {
            return;
        }
        assert!(begun.elapsed() < LONG, "still there: {left:#?}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[track_caller]
fn expect_success(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// One of these tests at a time: each has a hundred processes.
fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[test]
fn equal_tests_of_two_crates_and_two_checkouts_do_not_collide_on_one_server() {
    let _alone = alone();
    let place = Place::new();
    let runs: Vec<_> = checkouts()
        .iter()
        .flat_map(|checkout| [CARGO_TEST, NEXTEST].map(|how| place.run(checkout, how)))
        .map(|mut run| run.spawn().unwrap())
        .collect();
    runs.into_iter().for_each(expect_success);
    let log = fs::read_to_string(place.log()).unwrap();
    assert_eq!(log.lines().count(), 4 * CRATES.len() * TESTS);
    place.expect_one_build_each();
    place.expect_nothing_left(&checkouts()[0]);
}

#[test]
fn two_checkouts_have_their_own_servers_side_by_side() {
    let _alone = alone();
    let places = [Place::new(), Place::new()];
    let runs: Vec<_> = places
        .iter()
        .zip(checkouts())
        .map(|(place, checkout)| place.run(checkout, CARGO_TEST).spawn().unwrap())
        .collect();
    runs.into_iter().for_each(expect_success);
    for (place, checkout) in places.iter().zip(checkouts()) {
        let servers = place.0.path().join("green-light/servers");
        assert_eq!(fs::read_dir(servers).unwrap().count(), 2);
        place.expect_nothing_left(checkout);
    }
}

#[test]
fn sixteen_processes_of_a_cold_run_at_once_build_each_template_once() {
    let _alone = alone();
    let place = Place::new();
    let mut run = place.run(&checkouts()[0], NEXTEST);
    run.args(["--test-threads", "16", "-E", "package(one)"]);
    expect_success(run.spawn().unwrap());
    place.expect_one_build_each();
    eventually(|| place.processes());
}

#[test]
fn a_run_that_is_killed_with_its_cargo_leaves_no_process_and_the_next_one_passes() {
    let _alone = alone();
    let place = Place::new();
    let checkout = &checkouts()[0];
    let mut killed = place.run(checkout, NEXTEST);
    killed.stdout(Stdio::null()).stderr(Stdio::null());
    let mut killed = killed.process_group(0).spawn().unwrap();
    let begun = Instant::now();
    while fs::read_to_string(place.log())
        .unwrap_or_default()
        .lines()
        .count()
        < 8
    {
        assert!(begun.elapsed() < LONG, "it does not begin");
        thread::sleep(Duration::from_millis(10));
    }
    // First those who would start others.
    killed.kill().unwrap();
    killed.wait().unwrap();
    let program = format!("{}/api-", place.0.path().display());
    eventually(|| {
        let processes = place.processes();
        let tests = processes.iter().filter(|line| line.contains(&program));
        let tests: Vec<_> = tests
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect();
        if !tests.is_empty() {
            let _ = Command::new("kill")
                .arg("-9")
                .args(&tests)
                .stderr(Stdio::null())
                .status();
        }
        tests
    });
    eventually(|| place.processes());
    expect_success(place.run(checkout, NEXTEST).spawn().unwrap());
    place.expect_nothing_left(checkout);
}
