//! Which test is the last of its module and of the process.
//!
//! libtest does not say it. But the own binary, asked with the same selection and `--list`
//! ([`Selection`]), prints exactly the tests that libtest will run (measured: 1-2 ms, and only paid
//! when a shared fixture has something to end). Of these count the ones registered with us and not
//! ignored. Each test that ends is counted; the one that completes its module, or the process, ends
//! those fixtures. Where the number of tests of a scope is not known, `atexit` does it.
//!
//! The event log begins with the same list, for which it is asked in any case.

use std::collections::{HashMap, HashSet};
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use crate::config::Config;
use crate::fixture::scope::ScopeKey;
use crate::fixture::store::Store;
use crate::fixture::test_meta::{TESTS, TestMeta};
use crate::mutex::Mutex;
use crate::test::libtest_args::Selection;

/// Set in the process that only lists. A custom harness that ignores `--list` would run the tests
/// again there, each asking for a list in turn; this stops the first one.
const LISTING: &str = "GREEN_LIGHT_LISTING";
/// How long it may take to list. One that runs something before its tests may never come to an end.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Progress {
    finished: HashMap<ScopeKey, usize>,
    ended: HashSet<ScopeKey>,
}

static PROGRESS: LazyLock<Mutex<Progress>> = LazyLock::new(Mutex::default);

/// The shared scopes of a test, narrowest first.
pub(crate) fn scopes(test: &'static TestMeta) -> [ScopeKey; 2] {
    [ScopeKey::Module(test.module()), ScopeKey::Process]
}

/// Counts a test of `scope` as finished and tells whether it was the last.
pub(crate) fn is_last(scope: ScopeKey, config: &Config) -> bool {
    *PROGRESS.lock().finished.entry(scope).or_default() += 1;
    if !Store::has_ends() {
        return false;
    }
    if config.nextest {
        return true;
    }
    let Some(Planned { counts, .. }) = planned() else {
        return false;
    };
    // A scope that no test was planned for is not known, and never complete.
    let Some(planned) = counts.get(&scope) else {
        return false;
    };
    let mut progress = PROGRESS.lock();
    progress.finished.get(&scope) >= Some(planned) && progress.ended.insert(scope)
}

/// The tests of ours that will run.
pub(crate) struct Planned {
    /// In libtest's order.
    pub(crate) names: Vec<&'static str>,
    /// How many of each scope.
    counts: HashMap<ScopeKey, usize>,
}

/// What will run; `None` if that cannot be known.
pub(crate) fn planned() -> Option<&'static Planned> {
    static PLANNED: OnceLock<Option<Planned>> = OnceLock::new();
    PLANNED
        .get_or_init(|| {
            let selection = Selection::read(std::env::args_os().skip(1));
            list(&selection).map(|names| plan(&names, &selection))
        })
        .as_ref()
}

fn list(selection: &Selection) -> Option<Vec<String>> {
    let mut child = Command::new(std::env::current_exe().ok()?)
        .args(selection.listing())
        .env(LISTING, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut output = child.stdout.take()?;
    let (listed, listing) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = output.read_to_string(&mut text);
        let _ = listed.send(read.map(|_| text));
    });
    let Ok(Ok(text)) = listing.recv_timeout(PATIENCE) else {
        let _ = child.kill();
        let _ = child.wait();
        return None;
    };
    if !child.wait().ok()?.success() {
        return None;
    }
    Some(
        text.lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .map(str::to_owned)
            .collect(),
    )
}

fn plan(listed: &[String], selection: &Selection) -> Planned {
    let ours: HashMap<&str, &'static TestMeta> = TESTS
        .iter()
        .filter(|test| !test.ignored || selection.runs_ignored())
        .map(|test| (test.full_name(), test))
        .collect();
    let mut planned = Planned {
        names: Vec::new(),
        counts: HashMap::new(),
    };
    for test in listed.iter().filter_map(|name| ours.get(name.as_str())) {
        planned.names.push(test.full_name());
        for scope in scopes(test) {
            *planned.counts.entry(scope).or_default() += 1;
        }
    }
    planned
}

/// Whether this process was started only to list its tests.
pub(crate) fn is_only_listing() -> bool {
    static LISTS: OnceLock<bool> = OnceLock::new();
    *LISTS.get_or_init(|| std::env::var_os(LISTING).is_some())
}
