//! Finding a server that runs, or starting it: once, however many processes ask at the same time.
//!
//! Everybody tries to join first, and the one that gets the lock `start` makes what is missing. A
//! process that is killed on the way leaves a state that the next one understands: a cluster is
//! renamed to its name only when it is whole, and a server that nobody uses stops by itself.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use green_light_core::progress;

use crate::error::{Error, Kind};
use crate::failpoint::step;
use crate::files::lock::FileLock;
use crate::local_server::command_output::said;
use crate::local_server::program::Product;
use crate::local_server::run_as::User;
use crate::local_server::server_dir::{Home, TEMPORARY, refused};
use crate::local_server::watchdog::Use;
use crate::local_server::{linger, watchdog};

/// How long nothing is said.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a server may take to stop, or to start, before that is an error.
const LIMIT: Duration = Duration::from_secs(60);
/// How long its programs may take to make a cluster.
const MAKING: Duration = Duration::from_secs(300);
/// How long a server without a supervisor may take to stop before it is killed.
const ORPHAN: Duration = Duration::from_secs(3);
/// How long to sleep between two looks.
const PAUSE: Duration = Duration::from_millis(5);
/// How much of a log is shown.
const LOG_LINES: usize = 12;

/// The server of `product` for this checkout, running, and this process being its user.
pub(crate) fn running(product: &Product, base: &Path) -> Result<(Use, Home), Error> {
    let linger = linger::asked()?;
    let program = (product.find)().ok_or_else(|| missing(product))?;
    let user = User::for_server(product.users)?;
    let home = Home::open(base, product.slug, &program, user)?;
    let starting = Starting {
        product,
        home,
        program,
        watch: Stopwatch::new(format!("starting {}", product.name)),
    };
    let used = starting.run()?;
    linger::leave_word(&starting.home, linger)?;
    Ok((used, starting.home))
}

/// What is found where a server is to be started.
enum Claim {
    /// Nothing, and the lock `alive` is taken.
    Alone(FileLock),
    /// A server that stays.
    Joined(Use),
}

struct Starting<'a> {
    product: &'a Product,
    home: Home,
    program: PathBuf,
    watch: Stopwatch,
}

impl Starting<'_> {
    fn run(&self) -> Result<Use, Error> {
        loop {
            if let Some(used) = self.join()? {
                return Ok(used);
            }
            if let Some(lock) = self.home.try_lock("start")? {
                step("lock");
                // Whoever had the lock before may have started it.
                return match self.join()? {
                    Some(used) => Ok(used),
                    None => self.start(&lock),
                };
            }
            if self.watch.pause() > LIMIT * 2 {
                return Err(self.failed("another process has been starting it for too long"));
            }
        }
    }

    /// The server if it runs, or will in a moment.
    fn join(&self) -> Result<Option<Use>, Error> {
        let Some(used) = Use::join(&self.home) else {
            return Ok(None);
        };
        let begun = Instant::now();
        while !(self.product.ready)(&self.home, &used.sockets) {
            if !watchdog::is_kept(&self.home) {
                return Ok(None);
            }
            if begun.elapsed() > LIMIT {
                used.end();
                return Err(self.failed("it does not take connections"));
            }
            self.watch.pause();
        }
        Ok(Some(used))
    }

    /// Starts the server; the caller holds the lock `start` and nobody keeps one.
    fn start(&self, _lock: &FileLock) -> Result<Use, Error> {
        let alive = match self.claim()? {
            Claim::Alone(alive) => alive,
            Claim::Joined(used) => return Ok(used),
        };
        step("claim");
        self.home.sweep(self.product.slug);
        step("swept");
        let kept = self.cluster()?;
        let failed = match self.serve(alive) {
            Ok(used) => return Ok(used),
            Err(error) if !kept => return Err(error),
            Err(error) => error,
        };
        progress(&format!(
            "{} does not start on the cluster kept in `{}`: making a new one",
            self.product.name,
            self.home.data().display()
        ));
        let Claim::Alone(alive) = self.claim()? else {
            return Err(failed);
        };
        self.discard_cluster()?;
        self.cluster()?;
        // The first failure says more, should the second be the same.
        self.serve(alive).map_err(|_| failed)
    }

    /// Waits until nothing is left of the server before, or it turns out to stay: a keeper that looks
    /// whether there are users looks for a moment as if it ended.
    fn claim(&self) -> Result<Claim, Error> {
        let begun = Instant::now();
        let mut killed = false;
        loop {
            if let Some(alive) = self.home.try_lock("alive")? {
                return Ok(Claim::Alone(alive));
            }
            if let Some(used) = self.join()? {
                return Ok(Claim::Joined(used));
            }
            if !killed && begun.elapsed() > ORPHAN && !watchdog::is_kept(&self.home) {
                watchdog::kill_orphan(&self.home);
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
        let data = self.home.data();
        let stale = data.join(self.product.stale);
        let boot = boot();
        if data.is_dir() && stale.exists() {
            // Durability is off: what a machine has lost in a crash may be anything.
            if fs::read_to_string(self.home.file("boot")).unwrap_or_default() != boot {
                self.discard_cluster()?;
            }
            // The number in it may belong to any process by now. Nothing of the old server is
            // left, as the lock `alive` says.
            let _ = fs::remove_file(stale);
            step("stale");
        }
        let kept = data.is_dir();
        if !kept {
            self.initialise(&data)?;
        }
        step("cluster");
        self.home.write("boot", &boot)?;
        Ok(kept)
    }

    fn initialise(&self, data: &Path) -> Result<(), Error> {
        let new = self.home.file("data.new");
        let log = self.home.file("initialise.log");
        let _ = fs::remove_dir_all(&new);
        self.home.make(&new)?;
        step("initialise");
        // A killed predecessor's program may still be writing into its own.
        let new = new.join(format!("{}", std::process::id()));
        let output = File::create(&log).map_err(|error| refused("write to", &log, &error))?;
        let errors = output
            .try_clone()
            .map_err(|error| refused("write to", &log, &error))?;
        let mut command = (self.product.initialise)(&self.program, &new);
        command
            .stdout(output)
            .stderr(errors)
            .current_dir(self.home.path());
        self.home.user().runs(&mut command);
        let program = command.get_program().to_owned();
        let mut child = command
            .spawn()
            .map_err(|error| refused("run", Path::new(&program), &error))?;
        step("initialising");
        let begun = Instant::now();
        let status = loop {
            if begun.elapsed() > MAKING {
                let _ = child.kill();
                let reason = format!(
                    "`{}` takes longer than {} s",
                    program.display(),
                    MAKING.as_secs()
                );
                return Err(told(self.product, &reason, &log));
            }
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) => self.watch.pause(),
                Err(error) => return Err(refused("wait for", Path::new(&program), &error)),
            };
        };
        if !status.success() {
            let reason = format!("`{}` failed: {status}", program.display());
            return Err(told(self.product, &reason, &log));
        }
        step("whole");
        fs::rename(&new, data).map_err(|error| refused("rename", &new, &error))
    }

    fn discard_cluster(&self) -> Result<(), Error> {
        let data = self.home.data();
        fs::remove_dir_all(&data).map_err(|error| refused("remove", &data, &error))
    }

    /// Starts the server on its cluster and waits until it takes connections.
    fn serve(&self, alive: FileLock) -> Result<Use, Error> {
        let sockets = self.home.make_socket_directory()?;
        step("sockets");
        self.home.make(&self.home.file(TEMPORARY))?;
        step("temporary");
        watchdog::spawn(self.product, &self.home, &self.program, &sockets, alive)?;
        self.join()?
            .ok_or_else(|| self.failed("it ended while it was starting"))
    }

    fn failed(&self, reason: &str) -> Error {
        told(self.product, reason, &self.home.file("server.log"))
    }
}

/// Which start of the machine this is, where the system tells.
fn boot() -> String {
    if let Ok(id) = fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        return id;
    }
    said(Command::new("sysctl").args(["-n", "kern.bootsessionuuid"])).unwrap_or_default()
}

fn missing(product: &Product) -> Error {
    Error::new(
        Kind::Server,
        format!(
            "{} is not installed, and `{}` is not set",
            product.name, product.variable
        ),
    )
    .help(format!(
        "install it, its service need not run ({}), add its programs to `PATH`, or name a running \
         server: `{}={}user@localhost/name`, with `:` and the password behind the user",
        product.install, product.variable, product.schemes[0]
    ))
}

fn told(product: &Product, reason: &str, log: &Path) -> Error {
    let last = log_tail(product, log, LOG_LINES);
    let mut fact = format!("{} does not start: {reason}", product.name);
    for line in &last {
        fact.push_str("\n  | ");
        fact.push_str(line);
    }
    let cure = cure(&last).map_or_else(String::new, |cure| format!("{cure}; "));
    Error::new(Kind::Server, fact).help(format!(
        "{cure}its log is `{}`; to use another server, set `{}`",
        log.display(),
        product.variable
    ))
}

/// The last lines of a log, without what a program says after the reason.
pub(crate) fn log_tail(product: &Product, log: &Path, at_most: usize) -> Vec<String> {
    let text = fs::read_to_string(log).unwrap_or_default();
    let telling = text.split(product.advice).next().unwrap_or_default();
    let lines: Vec<_> = telling.trim_end().lines().collect();
    let last = &lines[lines.len().saturating_sub(at_most)..];
    last.iter().map(|line| (*line).to_owned()).collect()
}

/// What to do about a server that does not start, by what its log says.
fn cure(lines: &[String]) -> Option<&'static str> {
    const CURES: [(&[&str], &str); 8] = [
        (
            &["could not resize shared memory segment", "/dev/shm"],
            "make room in `/dev/shm`, which a container gets by `--shm-size=256m`",
        ),
        (
            &["No space left on device", "errno: 28", "OS error 28"],
            "make room on the disk of its data, which are below the target directory, or let `CARGO_TARGET_DIR` \
             name a directory on another disk",
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

/// Says once what takes so long.
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

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;
    use crate::postgres::local_server::POSTGRES;

    #[test]
    fn a_missing_server_is_an_error_that_says_how_to_get_it() {
        let absent = Product {
            find: || None,
            ..POSTGRES
        };
        let error = running(&absent, Path::new("nowhere")).unwrap_err();
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
            let text = told(&POSTGRES, "it fell over", log.path()).to_string();
            assert!(text.contains(cure), "{text}");
        }
    }

    #[test]
    fn the_end_of_a_long_log_is_shown() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let lines: Vec<_> = (1..=100).map(|number| format!("line {number}")).collect();
        let advice = format!("\n{} the rest\nand so on", POSTGRES.advice);
        fs::write(log.path(), lines.join("\n") + &advice).unwrap();
        let text = told(&POSTGRES, "it fell over", log.path()).to_string();
        let begin = "PostgreSQL does not start: it fell over\n  | line 89\n  | line 90\n";
        assert!(text.starts_with(begin), "{text}");
        assert!(
            text.contains("\n  | line 100\n  help: its log is"),
            "{text}"
        );
    }
}
