//! Finding a server that runs, or starting it: once, however many processes ask at the same time.
//!
//! Each process tries to join first, and the one that gets the lock `start` makes what is missing. A process that is
//! killed on the way leaves a state that the next one understands: a cluster gets its name only when it is whole, and
//! a server without users stops by itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use green_light_core::progress;

use crate::error::{Error, Kind};
use crate::failpoint::step;
use crate::files::lock::FileLock;
use crate::local_server::command_output::stdout_of;
use crate::local_server::program::ServerProgram;
use crate::local_server::run_as::RunAs;
use crate::local_server::server_dir::{ServerDir, TEMPORARY, refused};
use crate::local_server::watchdog::ServerRef;
use crate::local_server::{environment, guarded_file, linger, watchdog};

/// After how long a start is reported.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a server may take to stop, or to start, before that is an error.
const LIMIT: Duration = Duration::from_secs(60);
/// How long its programs may take to make a cluster.
const MAKING: Duration = Duration::from_secs(300);
/// How long a server without a supervisor may take to stop before it is killed.
const ORPHAN: Duration = Duration::from_secs(3);
/// How long to sleep between two checks.
const PAUSE: Duration = Duration::from_millis(5);
/// How much of a log is shown.
const LOG_LINES: usize = 12;

/// Makes this process a user of the server of `program` in this checkout, which is started if it does not run.
pub(crate) fn join_or_start(
    program: &ServerProgram,
    base: &Path,
) -> Result<(ServerRef, ServerDir), Error> {
    let linger = linger::asked()?;
    let executable = (program.find)().ok_or_else(|| missing(program))?;
    let user = RunAs::for_server(program.users)?;
    let dir = ServerDir::open(base, program.slug, &executable, user)?;
    let starting = Starting {
        program,
        dir,
        executable,
        watch: Stopwatch::new(format!("starting {}", program.name)),
    };
    let server = starting.run()?;
    linger::write_linger(&starting.dir, linger)?;
    Ok((server, starting.dir))
}

/// What is found where a server is to be started.
enum StartOutcome {
    /// No process of an earlier server is left: this is the lock `alive`.
    Start(FileLock),
    /// A server that stays.
    Joined(ServerRef),
}

struct Starting<'a> {
    program: &'a ServerProgram,
    dir: ServerDir,
    executable: PathBuf,
    watch: Stopwatch,
}

impl Starting<'_> {
    fn run(&self) -> Result<ServerRef, Error> {
        loop {
            if let Some(server) = self.join()? {
                return Ok(server);
            }
            if let Some(lock) = self.dir.try_lock("start")? {
                step("lock");
                // The process that had the lock before may have started it.
                return match self.join()? {
                    Some(server) => Ok(server),
                    None => self.start(&lock),
                };
            }
            if self.watch.pause() > LIMIT * 2 {
                return Err(self.failed("another process has been starting it for too long"));
            }
        }
    }

    /// The server if it runs, or will in a moment.
    fn join(&self) -> Result<Option<ServerRef>, Error> {
        let Some(server) = ServerRef::join(&self.dir) else {
            return Ok(None);
        };
        let begun = Instant::now();
        while !self.program.is_ready(&self.dir, &server.sockets) {
            if !watchdog::is_kept(&self.dir) {
                return Ok(None);
            }
            if begun.elapsed() > LIMIT {
                server.stop_server();
                return Err(self.failed("it does not take connections"));
            }
            self.watch.pause();
        }
        Ok(Some(server))
    }

    /// Starts the server; the caller holds the lock `start`, and no server has a keeper.
    fn start(&self, _lock: &FileLock) -> Result<ServerRef, Error> {
        let alive = match self.claim()? {
            StartOutcome::Start(alive) => alive,
            StartOutcome::Joined(server) => return Ok(server),
        };
        step("claim");
        self.dir.sweep(self.program.slug);
        ServerDir::sweep_temporary(self.dir.user());
        step("swept");
        // What is in its place is no fault of the cluster.
        self.dir.make(&self.dir.file(TEMPORARY))?;
        let kept = self.cluster()?;
        let failed = match self.serve(alive) {
            Ok(server) => return Ok(server),
            Err(error) if !kept => return Err(error),
            Err(error) => error,
        };
        progress(&format!(
            "{} does not start on the cluster kept in `{}`: making a new one",
            self.program.name,
            self.dir.data().display()
        ));
        let StartOutcome::Start(alive) = self.claim()? else {
            return Err(failed);
        };
        self.discard_cluster()?;
        self.cluster()?;
        // The first failure says more, should the second be the same.
        self.serve(alive).map_err(|_| failed)
    }

    /// Waits until no process of an earlier server is left, or that server turns out to stay: while a keeper checks
    /// for users, it looks for a moment as if it ended.
    fn claim(&self) -> Result<StartOutcome, Error> {
        let begun = Instant::now();
        let mut killed = false;
        loop {
            if let Some(alive) = self.dir.try_lock("alive")? {
                return Ok(StartOutcome::Start(alive));
            }
            if let Some(server) = self.join()? {
                return Ok(StartOutcome::Joined(server));
            }
            if !killed && begun.elapsed() > ORPHAN && !watchdog::is_kept(&self.dir) {
                watchdog::kill_orphan(&self.dir);
                killed = true;
            }
            if begun.elapsed() > LIMIT {
                return Err(self.failed("the one before does not end"));
            }
            self.watch.pause();
        }
    }

    /// Makes the cluster if there is none. Whether it was there.
    fn cluster(&self) -> Result<bool, Error> {
        let data = self.dir.data();
        let stale = data.join(self.program.stale_file);
        let boot = boot();
        if data.is_dir() && stale.exists() {
            // Durability is off: what a machine has lost in a crash may be anything.
            if guarded_file::read(&self.dir.file("boot")) != boot {
                self.discard_cluster()?;
            }
            // The process id in it may be one of any process by now: with the lock `alive`, no process of the old
            // server is left.
            let _ = fs::remove_file(stale);
            step("stale");
        }
        let kept = data.is_dir();
        if !kept {
            self.initialise(&data)?;
        }
        step("cluster");
        self.dir.write("boot", &boot)?;
        Ok(kept)
    }

    fn initialise(&self, data: &Path) -> Result<(), Error> {
        let new = self.dir.file("data.new");
        let log = self.dir.file("initialise.log");
        let _ = fs::remove_dir_all(&new);
        self.dir.make(&new)?;
        step("initialise");
        // The program that a killed process started may still write into a directory of its own.
        let new = new.join(format!("{}", std::process::id()));
        let output = guarded_file::create(&log).and_then(|log| Ok((log.try_clone()?, log)));
        let (output, errors) = output.map_err(refused("write to", &log))?;
        let mut command = (self.program.initialise)(&self.executable, &new);
        let initialiser = PathBuf::from(command.get_program());
        environment::limit(&mut command)
            .stdout(output)
            .stderr(errors)
            .current_dir(self.dir.path());
        self.dir.user().apply_to(&mut command);
        let ended = command.spawn().and_then(|mut child| {
            step("initialising");
            let begun = Instant::now();
            loop {
                match child.try_wait()? {
                    Some(status) => return Ok(Some(status)),
                    None if begun.elapsed() > MAKING => return child.kill().map(|()| None),
                    None => self.watch.pause(),
                };
            }
        });
        let ended = ended.map_err(refused("run", &initialiser))?;
        let reason = match ended {
            Some(status) if status.success() => None,
            Some(status) => Some(format!("failed: {status}")),
            None => Some(format!("takes longer than {} s", MAKING.as_secs())),
        };
        if let Some(reason) = reason {
            let reason = format!("`{}` {reason}", initialiser.display());
            return Err(with_log_tail(self.program, &reason, &log));
        }
        step("whole");
        fs::rename(&new, data).map_err(refused("rename", &new))
    }

    fn discard_cluster(&self) -> Result<(), Error> {
        let data = self.dir.data();
        fs::remove_dir_all(&data).map_err(refused("remove", &data))
    }

    /// Starts the server on its cluster and waits until it takes connections.
    fn serve(&self, alive: FileLock) -> Result<ServerRef, Error> {
        let sockets = self.dir.make_socket_directory(self.program.socket)?;
        step("sockets");
        self.dir.make(&self.dir.file(TEMPORARY))?;
        step("temporary");
        watchdog::spawn(self.program, &self.dir, &self.executable, &sockets, alive)?;
        self.join()?
            .ok_or_else(|| self.failed("it ended while it was starting"))
    }

    fn failed(&self, reason: &str) -> Error {
        with_log_tail(self.program, reason, &self.dir.file("server.log"))
    }
}

/// An id of this start of the machine; empty if the system has none.
fn boot() -> String {
    if let Ok(id) = fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        return id;
    }
    stdout_of(Command::new("sysctl").args(["-n", "kern.bootsessionuuid"])).unwrap_or_default()
}

fn missing(program: &ServerProgram) -> Error {
    Error::new(
        Kind::Server,
        format!(
            "{} is not installed, and `{}` is not set",
            program.name, program.variable
        ),
    )
    .help(format!(
        "install it, its service need not run ({}), add its programs to `PATH`, or name a running \
         server: `{}={}user@localhost/name`, with `:` and the password behind the user",
        program.install, program.variable, program.schemes[0]
    ))
}

/// The server did not start: why, with the end of `log`.
fn with_log_tail(program: &ServerProgram, reason: &str, log: &Path) -> Error {
    let last = log_tail(program, log, LOG_LINES);
    let mut fact = format!("{} does not start: {reason}", program.name);
    for line in &last {
        fact.push_str("\n  | ");
        fact.push_str(line);
    }
    let cure = cure(&last).map_or_else(String::new, |cure| format!("{cure}; "));
    Error::new(Kind::Server, fact).help(format!(
        "{cure}its log is `{}`; to use another server, set `{}`",
        log.display(),
        program.variable
    ))
}

/// The last lines of a log up to the reason of a failure.
pub(crate) fn log_tail(program: &ServerProgram, log: &Path, at_most: usize) -> Vec<String> {
    let text = guarded_file::read(log);
    let telling = text.split(program.advice).next().unwrap_or_default();
    let lines: Vec<_> = telling.trim_end().lines().collect();
    let last = &lines[lines.len().saturating_sub(at_most)..];
    last.iter().map(|line| (*line).to_owned()).collect()
}

/// What to do about a server that does not start, by the end of its log.
fn cure(lines: &[String]) -> Option<&'static str> {
    const CURES: [(&[&str], &str); 8] = [
        (
            &["could not resize shared memory segment", "/dev/shm"],
            "make room in `/dev/shm`, which a container gets by `--shm-size=256m`",
        ),
        (
            &["No space left on device", "errno: 28", "OS error 28"],
            "make room on the disk of its data, or let `GREEN_LIGHT_DIR` name a directory on another disk",
        ),
        (
            &["ermission denied", "errno: 13"],
            "let the user who runs it enter and write the directory that its log names",
        ),
        (
            &["invalid locale"],
            "install the locale that its log names (Debian: `apt-get install locales-all`)",
        ),
        (
            &[
                "error while loading shared libraries",
                "Library not loaded",
                "symbol lookup error",
            ],
            "install it again, or take it out of `PATH`: a library that it needs is missing",
        ),
        (
            &[
                "could not create semaphores",
                "could not create shared memory",
            ],
            "the system has no more shared memory or semaphores for it: stop other servers, or raise its limits",
        ),
        (
            &["Too many open files", "errno: 24"],
            "raise how many files a process may open, as by `ulimit -n 4096`",
        ),
        (
            &["Cannot allocate memory", "out of memory", "errno: 12"],
            "give the machine or the container more memory",
        ),
    ];
    let has = |words: &&str| lines.iter().any(|line| line.contains(words));
    let mut cures = CURES.iter();
    cures
        .find(|(texts, _)| texts.iter().any(has))
        .map(|(_, cure)| *cure)
}

/// Reports once what takes long.
struct Stopwatch {
    begun: Instant,
    what: String,
    said: std::cell::Cell<bool>,
}

impl Stopwatch {
    fn new(what: String) -> Self {
        Self {
            begun: Instant::now(),
            what,
            said: false.into(),
        }
    }

    /// Sleeps a little. How long it has been.
    fn pause(&self) -> Duration {
        thread::sleep(PAUSE);
        let elapsed = self.begun.elapsed();
        if elapsed > PATIENCE && !self.said.replace(true) {
            progress(&self.what);
        }
        elapsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::local_server::POSTGRES;

    #[test]
    fn a_missing_server_is_an_error_that_says_how_to_get_it() {
        let absent = ServerProgram {
            find: || None,
            ..POSTGRES
        };
        let error = join_or_start(&absent, Path::new("nowhere")).unwrap_err();
        assert!(error.is_server());
        assert_eq!(
            error.to_string(),
            "PostgreSQL is not installed, and `GREEN_LIGHT_POSTGRES_URL` is not set\n  \
             help: install it, its service need not run (Debian: `apt-get install postgresql`, \
             Fedora: `dnf install postgresql-server`, macOS: `brew install postgresql`), add its \
             programs to `PATH`, or name a running server: \
             `GREEN_LIGHT_POSTGRES_URL=postgres://user@localhost/name`, with `:` and the password \
             behind the user"
        );
        assert!(!Path::new("nowhere").exists());
    }

    #[test]
    fn what_a_log_says_is_followed_by_what_to_do() {
        let log = tempfile::NamedTempFile::new().unwrap();
        for (said, cure) in [
            (
                "FATAL: could not write to file \"x\": No space left on device",
                "help: make room on the disk",
            ),
            (
                "could not resize shared memory segment \"/P\" to 8 bytes: No space left on device",
                "`--shm-size=",
            ),
            (
                "mariadbd: Can't create/write to file 'x' (Errcode: 13 \"Permission denied\")",
                "help: let the user",
            ),
            (
                "initdb: error: invalid locale name \"C.UTF-8\"",
                "help: install the locale",
            ),
            (
                "initdb: error while loading shared libraries: libpq.so.5",
                "help: install it again",
            ),
            ("something else", "help: its log is `"),
        ] {
            fs::write(log.path(), format!("a\n{said}\nb\n")).unwrap();
            let text = with_log_tail(&POSTGRES, "it fell over", log.path()).to_string();
            assert!(text.contains(cure), "{text}");
        }
    }

    #[test]
    fn the_end_of_a_long_log_is_shown() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let lines: Vec<_> = (1..=100).map(|number| format!("line {number}")).collect();
        let advice = format!("\n{} the rest\nand so on", POSTGRES.advice);
        fs::write(log.path(), lines.join("\n") + &advice).unwrap();
        let text = with_log_tail(&POSTGRES, "it fell over", log.path()).to_string();
        let begin = "PostgreSQL does not start: it fell over\n  | line 89\n  | line 90\n";
        assert!(text.starts_with(begin), "{text}");
        assert!(
            text.contains("\n  | line 100\n  help: its log is"),
            "{text}"
        );
    }
}
