//! Processes that use a server, and looking at what is left of them.

use std::{
    env, fmt,
    fs::{self, Permissions},
    io::{BufRead as _, BufReader, Read as _},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::local_server::program::ServerProgram;
use crate::local_server::run_as::RunAs;
use crate::local_server::server_dir::ServerDir;
use crate::local_server::start;
use crate::local_server::tests::products::{SERVERS, by_name, id};
use crate::local_server::watchdog::ServerRef;

/// What a machine with other things to do may need.
const BOUND: Duration = Duration::from_secs(90);

#[test]
#[ignore = "started by the other tests, in a process of its own"]
fn user() {
    let base = PathBuf::from(env::var_os("TEST_BASE").expect("a test has started this"));
    let program = by_name(&env::var("TEST_PRODUCT").unwrap());
    let begun = Instant::now();
    match start::join_or_start(program, &base) {
        Ok((used, _)) => {
            println!("sockets {}", used.sockets.display());
            println!("after {:?}", begun.elapsed());
            // Until the test closes it.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            drop(used);
        }
        Err(error) => println!("error {error:?}"),
    }
}

/// A target directory that an unprivileged user can enter.
pub(crate) fn target() -> TempDir {
    named("target")
}

/// One with a name that a shell would not take for one word.
pub(crate) fn target_of_many_words() -> TempDir {
    named("it's \"a b\" $HOME; `exit 1` \\ é * ")
}

/// One with a path that is too long for a socket.
pub(crate) fn target_of_a_long_name() -> TempDir {
    named(&"long".repeat(30))
}

fn named(prefix: &str) -> TempDir {
    let target = tempfile::Builder::new().prefix(prefix).tempdir_in("/tmp");
    let target = target.unwrap();
    fs::set_permissions(target.path(), Permissions::from_mode(0o755)).unwrap();
    target
}

/// Runs `test` for every server, at the same time.
pub(crate) fn on_each_server(test: impl Fn(&'static ServerProgram) + Sync) {
    thread::scope(|scope| {
        for program in SERVERS {
            scope.spawn(|| test(program));
        }
    });
}

/// A process that uses a server.
pub(crate) struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(program: &ServerProgram, target: &TempDir) -> Self {
        Self::of(Command::new(env::current_exe().unwrap()), program, target)
    }

    /// The same with a variable.
    pub(crate) fn start_with(
        program: &ServerProgram,
        target: &TempDir,
        variable: &str,
        value: impl fmt::Display,
    ) -> Self {
        Self::start_with_all(program, target, &[(variable, &value.to_string())])
    }

    /// The same with several variables.
    pub(crate) fn start_with_all(
        program: &ServerProgram,
        target: &TempDir,
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.envs(variables.iter().copied());
        Self::of(command, program, target)
    }

    /// A process of somebody who may do nothing on this machine, to whom `target` then belongs.
    pub(crate) fn start_without_privileges(program: &ServerProgram, target: &TempDir) -> Self {
        const NOBODY: u32 = 65_534;
        let executable = env::current_exe().unwrap();
        if fs::metadata(target.path()).unwrap().uid() != 0 {
            return Self::start(program, target);
        }
        // Where the program is, only root may be able to go. Were the copy written by this process, a
        // child that another thread starts meanwhile could still hold it, and it could not be run.
        let copy = target.path().join("program");
        let copied = Command::new("cp")
            .arg(executable)
            .arg(&copy)
            .status()
            .unwrap();
        assert!(copied.success());
        fs::set_permissions(&copy, Permissions::from_mode(0o755)).unwrap();
        chown(target.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        let mut command = Command::new(copy);
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
        Self::of(command, program, target)
    }

    fn of(mut command: Command, program: &ServerProgram, target: &TempDir) -> Self {
        let mut child = command
            .args([
                "local_server::tests::support::user",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env("TEST_BASE", target.path())
            .env("TEST_PRODUCT", id(program))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Waits until it uses a server: where its sockets are.
    #[track_caller]
    pub(crate) fn sockets(&mut self) -> PathBuf {
        let said = self.until("after ");
        println!("{}", said.lines().last().unwrap_or_default());
        let sockets = said.lines().find_map(|line| line.strip_prefix("sockets "));
        PathBuf::from(sockets.unwrap_or_else(|| panic!("no server: {said}")))
    }

    /// What it says up to the line that begins with `word`, or to the end.
    pub(crate) fn until(&mut self, word: &str) -> String {
        let mut said = String::new();
        loop {
            let mut line = String::new();
            let end = self.output.read_line(&mut line).unwrap() == 0;
            said.push_str(&line);
            if end || line.starts_with(word) {
                return said;
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it in good order, and waits for the end of what it writes.
    pub(crate) fn end(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
        self.output.read_to_end(&mut Vec::new()).unwrap();
    }
}

pub(crate) fn server_dir(program: &ServerProgram, target: &TempDir) -> ServerDir {
    let executable = (program.find)().unwrap();
    let user = RunAs::for_server(program.users).unwrap();
    ServerDir::open(target.path(), program.slug, &executable, user).unwrap()
}

#[track_caller]
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < BOUND, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether any process of the server is left.
pub(crate) fn is_alive(dir: &ServerDir) -> bool {
    dir.try_lock("alive").unwrap().is_none()
}

/// Waits until no process of the server is left.
#[track_caller]
pub(crate) fn expect_gone(dir: &ServerDir) {
    eventually("the server is still there", || !is_alive(dir));
    assert!(ServerRef::join(dir).is_none());
    // What makes a cluster for a killed process goes on to its end.
    eventually("a process is still there", || {
        processes_with(dir.path()).is_empty() && processes_in(dir.path()).is_empty()
    });
}

/// The number of the server's process.
pub(crate) fn server_process(dir: &ServerDir) -> String {
    let number = fs::read_to_string(dir.file("server.pid")).unwrap();
    number.trim().to_owned()
}

/// The processes that keep the server running.
pub(crate) fn supervisors(dir: &ServerDir) -> Vec<String> {
    processes_with(&dir.file("watchdog.sh"))
}

/// The processes that have `argument` among theirs.
pub(crate) fn processes_with(argument: &Path) -> Vec<String> {
    let argument = argument.to_str().unwrap();
    ps(&["-A", "-o", "pid=,args="])
        .lines()
        .filter(|line| line.contains(argument))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

/// The processes that work in `directory` or below, where the system tells.
fn processes_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|process| {
            let place = fs::read_link(process.join("cwd"));
            place.is_ok_and(|place| place.starts_with(directory))
        })
        .collect()
}

/// The group of a process, which a Ctrl-C reaches as a whole.
pub(crate) fn group(process: &str) -> String {
    ps(&["-o", "pgid=", "-p", process]).trim().to_owned()
}

fn ps(arguments: &[&str]) -> String {
    let output = Command::new("ps").args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `kill -9`, to the end. It may have gone already.
#[track_caller]
pub(crate) fn kill(process: &str) {
    kill_all(&[process.to_owned()]);
}

/// The same for several at once, so that none sees another one dead.
#[track_caller]
pub(crate) fn kill_all(processes: &[String]) {
    let _ = Command::new("sh")
        .args(["-c", "kill -s KILL \"$@\"", "sh"])
        .args(processes)
        .stderr(Stdio::null())
        .status();
    for process in processes {
        eventually("it survives `kill -9`", || {
            // The first thread may have ended before the others (`Zl`), which keep the sockets open.
            let state = ps(&["-o", "stat=", "-p", process]);
            state.trim().is_empty() || (state.starts_with('Z') && !state.contains('l'))
        });
    }
}
