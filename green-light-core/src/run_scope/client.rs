//! Asks the keeper of an instance for the value, and starts it if there is none.
//!
//! The process that gets the address hands it to the keeper that it starts; others connect meanwhile, and wait in the
//! socket's queue. If a process is killed before its keeper runs, the system resets those connections, and the next
//! process begins again.

use std::io::{self, BufRead as _, BufReader, ErrorKind};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use crate::mutex::Mutex;
use crate::report::failure::Failure;
use crate::run_scope::address::Address;
use crate::run_scope::answer::{Answer, Started};
use crate::run_scope::assignment::Assignment;
use crate::run_scope::current_run::current_run;
use crate::run_scope::instance_id::InstanceId;
use crate::run_scope::keeper_files::{KeeperFiles, end_of, printed_between};
use crate::run_scope::message::{FAILED, Greeting, Outcome, begin_of_log, parse_outcome};
use crate::run_scope::start::start;

/// How many keepers may end without a word before that is an error.
const STARTS: usize = 3;
/// How often an address may be found taken by a process that does not listen.
const TRIES: usize = 2000;
/// How long a process needs from taking the address to listening.
const PAUSE: Duration = Duration::from_millis(1);

/// The connections of this process. A keeper keeps its fixture for as long as any process has one.
static HELD: Mutex<Vec<UnixStream>> = Mutex::new(Vec::new());

/// Asks for `instance`, in the name of `test`. It waits for the set-up, and blocks this thread meanwhile.
///
/// # Errors
///
/// If there is no keeper, and none can be started, or if it ends before it has answered.
pub(crate) fn request(instance: InstanceId, test: &str) -> Result<Answer, Failure> {
    let Some(run) = current_run() else {
        return Err(Failure::new(
            "a fixture of scope `run` cannot be kept: `/proc` does not tell which run this process belongs to\n  \
             help: mount `/proc`, or give the fixture scope `process`",
        ));
    };
    let client = Client {
        address: Address::new(run, instance.key).map_err(|error| not_started(&error))?,
        assignment: Assignment {
            run,
            key: instance.key,
        },
        test,
        instance,
    };
    client.request()
}

struct Client<'a> {
    address: Address,
    assignment: Assignment,
    test: &'a str,
    instance: InstanceId,
}

impl Client<'_> {
    fn request(&self) -> Result<Answer, Failure> {
        for _ in 0..STARTS {
            let (stream, started) = self.connect()?;
            let Some((greeting, outcome)) = answer(&stream)? else {
                continue;
            };
            HELD.lock().push(stream);
            // What a keeper asks for, a test has asked for before, and can report.
            let reports = started && Assignment::of_this_process().is_none();
            return Ok(Answer {
                outcome,
                started: started.then(|| Started {
                    process: greeting.process,
                    printed: printed(&greeting),
                }),
                earlier: if reports {
                    self.earlier_failure()?
                } else {
                    None
                },
            });
        }
        let log = self.files()?.log();
        Err(Failure::new(format!(
            "the keeper of the fixture, which is this test program in a process of its own, ended before it had \
             begun{}\n  \
             help: its log is `{}`; the program has to run the one test that is named in its arguments, as libtest does",
            end_of(&log),
            log.display()
        )))
    }

    /// What a keeper has noted when its teardown failed at the end of an earlier run.
    fn earlier_failure(&self) -> Result<Option<Failure>, Failure> {
        let noted = self.files()?.take_failure();
        Ok(noted.and_then(|noted| parse_outcome(&noted)?.err()))
    }

    /// The files of the keeper. A process that finds a value needs none of them.
    fn files(&self) -> Result<KeeperFiles, Failure> {
        KeeperFiles::new(self.instance, self.assignment.run)
    }

    /// Connects to the keeper, which is started if there is none; then the second is `true`.
    fn connect(&self) -> Result<(UnixStream, bool), Failure> {
        for _ in 0..TRIES {
            match self.address.connect() {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(not_started(&error)),
                Ok(stream) => return Ok((stream, false)),
            }
            let listener = match self.address.bind() {
                Ok(listener) => listener,
                Err(error) if error.kind() == ErrorKind::AddrInUse => {
                    thread::sleep(PAUSE);
                    continue;
                }
                Err(error) => return Err(not_started(&error)),
            };
            let files = self.files()?;
            let connected = self.address.connect().and_then(|stream| {
                start(self.assignment, self.test, listener, &files)?;
                Ok((stream, true))
            });
            return connected.map_err(|error| not_started(&error));
        }
        Err(not_started(&io::Error::from(ErrorKind::AddrInUse)))
    }
}

/// What the keeper says; `None` if it ends before it has said anything.
fn answer(stream: &UnixStream) -> Result<Option<(Greeting, Outcome)>, Failure> {
    let mut lines = BufReader::new(stream);
    let Some(greeting) = line(&mut lines).and_then(|line| Greeting::parse(&line)) else {
        return Ok(None);
    };
    if let Some(outcome) = line(&mut lines).and_then(|line| parse_outcome(&line)) {
        return Ok(Some((greeting, outcome)));
    }
    let Greeting { process, log } = greeting;
    Err(Failure::new(format!(
        "the keeper of the fixture, process {process}, ended in the middle of the set-up{}\n  \
         help: its log is `{}`; the next process that needs the fixture starts it again",
        end_of(&log),
        log.display()
    )))
}

/// What the keeper has printed in its set-up.
fn printed(greeting: &Greeting) -> Option<String> {
    let Greeting { process, log } = greeting;
    let lines = printed_between(log, &begin_of_log(*process), FAILED)?;
    Some(format!(
        "printed by its keeper, whose log is `{}`:{lines}",
        log.display()
    ))
}

/// A whole line; `None` if the keeper ends before it has said one.
fn line(lines: &mut BufReader<&UnixStream>) -> Option<String> {
    let mut line = String::new();
    lines.read_line(&mut line).ok()?;
    line.ends_with('\n').then_some(line)
}

fn not_started(error: &io::Error) -> Failure {
    Failure::new(format!(
        "the keeper of the fixture cannot be started: {error}"
    ))
}
