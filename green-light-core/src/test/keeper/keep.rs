//! The life of a keeper.
//!
//! This thread serves the processes of the run, whatever the code of the fixture does on its own thread. When the run
//! has ended it tells the fixture, and waits for the teardown in bounded time.

use std::fs;
use std::os::unix::net::UnixListener;
use std::process;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use crate::context::run_sync::on_thread_stack;
use crate::context::thread_stack::beside_thread_stack;
use crate::context::wait::wait;
use crate::fixture::fixture_failure::FixtureFailure;
use crate::fixture::test_meta::TestMeta;
use crate::messages::text;
use crate::os;
use crate::report::failure::Failure;
use crate::report::hook::{be_quiet_on_this_thread, install_hook};
use crate::report::print::progress;
use crate::run_scope::assignment::Assignment;
use crate::run_scope::keeper_files::KeeperFiles;
use crate::run_scope::message::{Greeting, begin_of_log, outcome_line};
use crate::runtime::private::block_on_private;
use crate::runtime::shared::block_on;
use crate::tasks::{self, Tasks};
use crate::test::keeper::clients::{Said, serve};
use crate::test::keeper::fixture;
use crate::test::keeper::kept::Kept;

/// How long the fixture may take to end when the run has ended. Then the process ends without it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The exit status of a keeper whose fixture did not end well. Only its log and the next run tell of it.
const FAILED: i32 = 101;

/// Keeps the fixture of `assignment`, for `test`, which is the test that was the first to need it.
pub(crate) fn keep(test: &'static TestMeta, assignment: Assignment) -> ! {
    install_hook();
    let status = match Keeper::new(test, assignment).and_then(Keeper::run) {
        Ok(()) => 0,
        Err(failure) => {
            progress(&format!("this keeper ends: {failure}"));
            FAILED
        }
    };
    process::exit(status);
}

struct Keeper {
    test: &'static TestMeta,
    assignment: Assignment,
    kept: Kept,
    files: KeeperFiles,
    listener: UnixListener,
    /// Where this process prints.
    log: String,
}

impl Keeper {
    fn new(test: &'static TestMeta, assignment: Assignment) -> Result<Self, Failure> {
        let taken = os::take_stdin().map_err(|error| Failure::from_error(&error))?;
        let kept = Kept::find(test, assignment.key);
        let kept = kept.ok_or_else(|| {
            Failure::new(format!(
                "test `{}` has no fixture that is kept as `{assignment}`",
                test.full_name()
            ))
        })?;
        let log = fs::read_link("/proc/self/fd/2").unwrap_or_default();
        Ok(Self {
            test,
            assignment,
            files: KeeperFiles::new(kept.id, assignment.run)?,
            kept,
            listener: taken.into(),
            log: log.to_string_lossy().into_owned(),
        })
    }

    fn run(self) -> Result<(), Failure> {
        let Self { kept, log, .. } = self;
        let name = kept.definition.name;
        let run = self.assignment.run;
        let (process, place) = (process::id(), kept.definition.location);
        progress(&format!(
            "{}`{name}` ({place}) for the run of process {}",
            begin_of_log(process),
            run.number
        ));
        let greeting = Arc::from(Greeting::line(process, log.as_ref()));
        let (said, outcome) = watch::channel(None);
        let (over, is_over) = oneshot::channel();
        let (done, has_ended) = mpsc::channel();
        let (greeted, first) = mpsc::channel();
        let test = self.test;
        let (definition, life) = (
            kept.definition,
            Life {
                kept,
                test,
                log,
                said,
            },
        );
        let thread = os::spawn_uncaptured(&format!("fixture {name}"), move || {
            // Whatever the fixture does to this process, the one that has started it knows whose end that is.
            let _ = first.recv();
            // The receiver lives until the process ends.
            let _ = done.send(life.run(is_over));
        });
        thread.map_err(|error| Failure::from_error(&error))?;
        let served = block_on_private(serve(self.listener, run, greeting, outcome, greeted));
        progress(&format!("the run has ended: fixture `{name}` is torn down"));
        let _ = over.send(());
        let failures = has_ended.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            vec![Failure::new(format!(
                "it did not end within {} s after the run",
                PATIENCE.as_secs()
            ))]
        });
        for failure in &failures {
            let failed = FixtureFailure::in_teardown(definition, failure.clone());
            progress(&text::late_teardown_error(&failed));
        }
        if let Some(first) = failures.into_iter().next() {
            let noted = self.files.note_failure(&outcome_line(&Err(first.clone())));
            noted.map_err(|error| Failure::from_error(&error))?;
            return Err(first);
        }
        let served = served.map_err(|error| Failure::from_error(&error))?;
        served.map_err(|error| Failure::from_error(&error))
    }
}

/// The thread of the fixture.
struct Life {
    kept: Kept,
    test: &'static TestMeta,
    log: String,
    said: watch::Sender<Said>,
}

impl Life {
    /// Runs the fixture from its set-up to its teardown. Returns what went wrong in the teardown.
    fn run(self, over: oneshot::Receiver<()>) -> Vec<Failure> {
        be_quiet_on_this_thread();
        let values = match fixture::dependencies(&self.kept, self.test) {
            Ok(values) => values,
            Err(failure) => {
                fixture::say(&self.said, Err(failure), &self.log);
                // As long as the run lasts, this is the answer.
                let _ = over.blocking_recv();
                return Vec::new();
            }
        };
        let _here = tasks::Here::enter(&Tasks::of_shared_fixture());
        let (ended, result) = mpsc::channel();
        let Self {
            kept, log, said, ..
        } = self;
        let driven = beside_thread_stack(
            move || {
                block_on(on_thread_stack(move || {
                    let live = fixture::live(kept.definition, values, &log, &said, over);
                    let _ = ended.send(wait(live));
                }))
            },
            // No thread joins this one, so it may sleep here for good.
            drop,
        );
        match (driven, result.recv()) {
            (Ok(()), Ok(failures)) => failures,
            (Err(error), _) => vec![Failure::from_error(&error)],
            (Ok(()), Err(_)) => vec![Failure::new("its thread ended before it was torn down")],
        }
    }
}
