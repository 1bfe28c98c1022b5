//! A run of the specimens: a shell by the name of cargo, or of nextest, that runs this program.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take on a machine that has other things to do.
const LONG: Duration = Duration::from_secs(120);

/// A directory for some runs.
pub(crate) struct Run {
    pub(crate) directory: PathBuf,
}

impl Run {
    pub(crate) fn new() -> Self {
        Self::below(Path::new(env!("CARGO_TARGET_TMPDIR")))
    }

    /// Its directory is in `parent`.
    pub(crate) fn below(parent: &Path) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = parent.join(format!("run-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        for name in ["cargo", "cargo-nextest"] {
            symlink("/bin/sh", directory.join(name)).unwrap();
        }
        Self { directory }
    }

    /// A run of `script`, in which `t FILTER` runs the specimens that `FILTER` selects, and `b FILTER` does so in the
    /// background: `t FILTER &` would be a shell of its own, which is called cargo as well.
    pub(crate) fn command(&self, runner: &str, script: &str) -> Command {
        // The last command of a shell may take its place; here it is another one.
        let script = format!(
            "t() {{ \"$PROGRAM\" --ignored \"specimens::$1\"; }}\n\
             b() {{ \"$PROGRAM\" --ignored \"specimens::$1\" & }}\n\
             {script}\nstatus=$?\nexit $status"
        );
        let mut command = Command::new(self.directory.join(runner));
        command
            .args(["-c", &script])
            .env("PROGRAM", std::env::current_exe().unwrap())
            .env_remove("RUST_BACKTRACE")
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.set_variables(&mut command);
        command
    }

    /// What the specimens need to know.
    pub(crate) fn set_variables(&self, command: &mut Command) {
        command
            .env("RUN_DIRECTORY", &self.directory)
            .env("GREEN_LIGHT_DIR", self.directory.join("files"));
    }

    pub(crate) fn spawn(&self, runner: &str, script: &str) -> Child {
        self.command(runner, script).spawn().unwrap()
    }

    /// What a run printed that has ended. It passed if `passes`.
    pub(crate) fn output(&self, script: &str, passes: bool) -> String {
        let output = self.command("cargo", script).output().unwrap();
        let text = text(&output);
        assert_eq!(output.status.success(), passes, "{text}");
        text
    }

    /// The lines that the specimens have written, in order.
    pub(crate) fn journal(&self) -> Vec<String> {
        let text = fs::read_to_string(self.directory.join("journal")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How many lines begin with `beginning`.
    pub(crate) fn count(&self, beginning: &str) -> usize {
        let journal = self.journal();
        journal
            .iter()
            .filter(|line| line.starts_with(beginning))
            .count()
    }

    /// Waits until so many lines begin with `beginning`.
    pub(crate) fn wait_for(&self, beginning: &str, count: usize) {
        self.until(beginning, || self.count(beginning) >= count);
    }

    pub(crate) fn until(&self, what: &str, is_true: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_true() {
            assert!(begun.elapsed() < LONG, "{what}: {:?}", self.journal());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Makes the file `name`, which a specimen waits for.
    pub(crate) fn make(&self, name: &str) {
        fs::write(self.directory.join(name), "").unwrap();
    }

    /// The keepers that live, by their number.
    pub(crate) fn keepers(&self) -> Vec<u32> {
        let own = format!("RUN_DIRECTORY={}\0", self.directory.display());
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let reads = |number: &u32, file: &str| {
            let bytes = fs::read(format!("/proc/{number}/{file}")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned() + "\0"
        };
        numbers
            .filter(|number| reads(number, "environ").contains(&own))
            .filter(|number| reads(number, "cmdline").contains("\0green-light-keeper:"))
            .collect()
    }

    /// Waits until all keepers have ended.
    pub(crate) fn ends(&self) {
        self.until("a keeper lives", || self.keepers().is_empty());
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

pub(crate) fn text(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

/// Kills the process `number`, or with a `-` before it the group of processes.
pub(crate) fn kill(whom: &str) {
    let status = Command::new("kill")
        .args(["-s", "KILL", "--", whom])
        .status();
    assert!(status.unwrap().success());
}
