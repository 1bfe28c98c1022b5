//! Tests that need other processes: the test binary runs itself, with a part to play in the same test.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

const PART: &str = "GREEN_LIGHT_TEST_PART";

/// How long any process may take, on a machine that has other things to do.
pub(crate) const LONG: Duration = Duration::from_secs(120);

/// Of how many messages one is that at which a process is killed: of `few`, unless all are asked for.
pub(crate) fn one_of(few: usize) -> usize {
    let every = env::var("GREEN_LIGHT_KILL_EVERY").ok();
    every.map_or(few, |every| every.parse().expect("a number"))
}

/// The part this process plays, if it was started by a test.
pub(crate) fn part() -> Option<String> {
    env::var(PART).ok()
}

/// A process that plays `part` in the test `name`, with nothing of this run's settings.
pub(crate) fn playing(name: &str, part: &str) -> Command {
    playing_with(env::current_exe().unwrap(), name, part)
}

/// The same with a copy of the program.
pub(crate) fn playing_with(program: PathBuf, name: &str, part: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--exact", name, "--nocapture"])
        .env(PART, part)
        .env_remove("GREEN_LIGHT_CONNECTIONS")
        .env_remove("GREEN_LIGHT_KEEP")
        .env_remove("GREEN_LIGHT_DIR")
        .env_remove("GREEN_LIGHT_LINGER")
        .env_remove("GREEN_LIGHT_REBUILD")
        .env_remove("GREEN_LIGHT_WAIT")
        .env_remove("NEXTEST")
        .env_remove("NEXTEST_RUN_ID")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the test `name` in a process of its own, for what it does would hold for all of a process.
pub(crate) fn in_its_own_process(name: &str, test: impl FnOnce()) {
    match part() {
        None => drop(said(playing(name, "alone").spawn().unwrap())),
        Some(_) => test(),
    }
}

/// Waits for a process and returns what it said; kills it if it takes too long.
pub(crate) fn output(mut child: Child) -> Output {
    drop(child.stdin.take());
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > LONG {
            child.kill().unwrap();
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

/// What a process that ended well said.
#[track_caller]
pub(crate) fn said(child: Child) -> String {
    let output = output(child);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// A process that says lines and waits for others.
pub(crate) struct Partner {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Partner {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The value of the next line `name=value`.
    pub(crate) fn hear(&mut self, name: &str) -> String {
        let prefix = format!("{name}=");
        let line = self.lines.find_map(|line| {
            let line = line.unwrap();
            // libtest writes its own words in front of the first line.
            line.find(&prefix)
                .map(|at| line[at + prefix.len()..].to_owned())
        });
        line.unwrap_or_else(|| panic!("the process ended without saying `{name}`"))
    }

    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its good end.
    pub(crate) fn end(self) {
        let output = output(self.child);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
    }
}

/// Says `name=value` to whoever started this process.
#[expect(clippy::print_stdout, reason = "this is how they talk")]
pub(crate) fn say(name: &str, value: &str) {
    println!("{name}={value}");
}

/// Waits for a line from whoever started this process; `false` when there will be none.
pub(crate) fn wait_for_a_line() -> bool {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap() > 0
}

/// The value of `name=` in what a process said.
#[track_caller]
pub(crate) fn value(said: &str, name: &str) -> String {
    let (_, rest) = said.split_once(&format!("{name}=")).unwrap();
    rest.lines().next().unwrap().to_owned()
}
