//! The files of keepers: what each printed, and which teardowns failed when their run had ended.
//!
//! They are in `run` in the directory that `GREEN_LIGHT_DIR` names, or in `green-light` in the target directory of the
//! running test, or, if that cannot be used, in a directory of this user in the system's temporary one.

use std::cmp::Reverse;
use std::env;
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::report::failure::Failure;
use crate::run_scope::address::own_user;
use crate::run_scope::instance_id::InstanceId;
use crate::run_scope::process::ProcessId;

const VARIABLE: &str = "GREEN_LIGHT_DIR";
/// How many logs of earlier keepers of a fixture stay.
const KEPT: usize = 10;
/// How much of a log is shown.
const LINES: usize = 12;
/// How much of what a set-up has printed is shown.
const LINES_OF_SET_UP: usize = 100;

/// The files of the keeper of one instance.
#[derive(Debug)]
pub(crate) struct KeeperFiles {
    directory: PathBuf,
    instance: InstanceId,
    run: ProcessId,
}

impl KeeperFiles {
    /// The files of the keeper of `instance` in `run`.
    ///
    /// # Errors
    ///
    /// If there is no directory for them.
    pub(crate) fn new(instance: InstanceId, run: ProcessId) -> Result<Self, Failure> {
        Ok(Self {
            directory: directory()?,
            instance,
            run,
        })
    }

    /// Where the keeper prints.
    pub(crate) fn log(&self) -> PathBuf {
        let Self { instance, run, .. } = self;
        let (key, ProcessId { number, started }) = (instance.key, *run);
        let name = format!("{instance}-{key:016x}-{number}-{started}.log");
        self.directory.join(name)
    }

    /// Opens the log, behind what an earlier keeper in the same run has printed, and removes those of the oldest runs.
    pub(crate) fn open_log(&self) -> io::Result<File> {
        self.sweep();
        File::options().append(true).create(true).open(self.log())
    }

    fn sweep(&self) {
        let prefix = format!("{}-", self.instance);
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        let logs = entries.filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with(&prefix) && name.ends_with(".log")
        });
        let mut logs: Vec<_> = logs
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        logs.sort_by_key(|(modified, _)| Reverse(*modified));
        for (_, path) in logs.iter().skip(KEPT) {
            let _ = fs::remove_file(path);
        }
    }

    fn note(&self) -> PathBuf {
        self.directory.join(format!("{}.failed", self.instance))
    }

    /// Notes for the next run that the teardown failed.
    pub(crate) fn note_failure(&self, text: &str) -> io::Result<()> {
        fs::write(self.note(), text)
    }

    /// Takes what was noted when an earlier run had ended.
    pub(crate) fn take_failure(&self) -> Option<String> {
        let taken = self
            .directory
            .join(format!("{}.taken-{}", self.instance, std::process::id()));
        // Only one process can take it.
        fs::rename(self.note(), &taken).ok()?;
        let text = fs::read_to_string(&taken);
        let _ = fs::remove_file(&taken);
        text.ok()
    }
}

/// The last lines of the file `log`, each after a newline.
pub(crate) fn end_of(log: &Path) -> String {
    last_lines(&text_of(log), LINES)
}

/// The lines of the file `log` between those that have `begin` and `end` in them, or the last of them; `None` if there are
/// none. The second need not be there.
pub(crate) fn printed_between(log: &Path, begin: &str, end: &str) -> Option<String> {
    let text = text_of(log);
    let (_, after) = text.split_once(begin)?;
    let lines = after.lines().skip(1).take_while(|line| !line.contains(end));
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| last_lines(&lines.join("\n"), LINES_OF_SET_UP))
}

fn text_of(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.trim_end().lines().collect();
    let last = &lines[lines.len().saturating_sub(count)..];
    last.iter().map(|line| format!("\n  | {line}")).collect()
}

fn directory() -> Result<PathBuf, Failure> {
    let named = env::var_os(VARIABLE).filter(|name| !name.to_string_lossy().trim().is_empty());
    let refused = |path: &Path, error: &io::Error| {
        Failure::new(format!(
            "a fixture of scope `run` has no place for its log: cannot write to `{}`: {error}\n  \
             help: let `{VARIABLE}` name a directory on a local disk that can be written",
            path.display()
        ))
    };
    if let Some(named) = named.map(PathBuf::from) {
        if !named.is_absolute() {
            let relative = io::Error::other("the path is relative");
            return Err(refused(&named, &relative));
        }
        return usable(&named).map_err(|error| refused(&named, &error));
    }
    let executable = env::current_exe().unwrap_or_default();
    let mut above = executable.ancestors();
    let target = above.find(|path| path.join("CACHEDIR.TAG").is_file());
    if let Some(Ok(found)) = target.map(|target| usable(&target.join("green-light"))) {
        return Ok(found);
    }
    let temporary = env::temp_dir();
    usable(&temporary).map_err(|error| refused(&temporary, &error))
}

/// The directory `run` in `base`, or in the directory of this user there if other users can write to `base`.
fn usable(base: &Path) -> io::Result<PathBuf> {
    make(base)?;
    let private = if is_private(&fs::metadata(base)?)? {
        base.to_owned()
    } else {
        let own = base.join(format!("green-light-{}", own_user()?));
        make(&own)?;
        // Not of what a link leads to.
        if !is_private(&fs::symlink_metadata(&own)?)? {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        own
    };
    let directory = private.join("run");
    make(&directory)?;
    let probe = directory.join(format!("writable-{}", std::process::id()));
    fs::write(&probe, "")?;
    fs::remove_file(probe)?;
    Ok(directory)
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(path)
}

/// Whether it is a directory of this user in which no other user can write.
fn is_private(found: &Metadata) -> io::Result<bool> {
    Ok(found.is_dir() && found.uid() == own_user()? && found.mode() & 0o022 == 0)
}
