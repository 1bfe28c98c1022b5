//! The result of recording the migrations of this build of the test program, kept in a file below the target directory,
//! so that it is done once.
//!
//! * A file belongs to one program and one list of migrations. It is valid as long as the program has the size and the
//!   time that are written in it.
//! * One process records, under a lock. Others wait for a time, and then take the identity of the program instead.
//! * If no file can be written, each process records once for itself.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use green_light_core::{Mutex, progress};

use crate::digest::short_digest;
use crate::files::atomic_write::atomic_write;
use crate::files::base::base;
use crate::files::lock::FileLock;
use crate::schema::build_id;
use crate::schema::migrations::recorder::{Bounds, Recorded};
use crate::sql::dialect::Dialect;

/// Changes when migrations are recorded in another way.
const FORMAT: &str = "1";
/// In the place of a digest.
const UNKNOWN: &str = "unknown";

/// The results for which no file could be written.
static UNWRITTEN: LazyLock<Mutex<HashMap<PathBuf, Option<String>>>> = LazyLock::new(Mutex::default);

/// Where one result is kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    directory: PathBuf,
    file: PathBuf,
    /// The size and the time of the program.
    stamp: String,
}

impl Kept {
    /// The result for the migrations `identity` of this program, on a database with this dialect.
    pub(crate) fn new(identity: &str, dialect: &'static dyn Dialect) -> Self {
        static PROGRAM: LazyLock<(PathBuf, String)> = LazyLock::new(|| {
            build_id::path_and_stamp().unwrap_or_else(|_| (PathBuf::new(), build_id::never_equal()))
        });
        let (program, stamp) = &*PROGRAM;
        // Nothing can be below a file, so without a directory each process records once for itself.
        let base = base().unwrap_or(program);
        Self::below(base, program, stamp, identity, dialect)
    }

    fn below(
        base: &Path,
        program: &Path,
        stamp: &str,
        identity: &str,
        dialect: &'static dyn Dialect,
    ) -> Self {
        let directory = base.join("recorded");
        let dialect = dialect.backend().name();
        let name = short_digest([
            program.as_os_str().as_encoded_bytes(),
            FORMAT.as_bytes(),
            dialect.as_bytes(),
            identity.as_bytes(),
        ]);
        Self {
            file: directory.join(name),
            directory,
            stamp: stamp.to_owned(),
        }
    }

    /// A digest of what the migrations send, if that is known; `record` is called if nothing is kept.
    pub(crate) async fn get_or_record(
        &self,
        bounds: Bounds,
        record: impl Future<Output = Recorded>,
        tell: impl FnOnce(&str),
    ) -> Option<String> {
        if let Some(kept) = self.read() {
            return kept;
        }
        // If no file can be locked, each process records for itself.
        let lock = match self.lock(bounds.time * 5).await {
            Ok(None) => return None,
            lock => lock.ok(),
        };
        if let Some(kept) = self.read() {
            return kept;
        }
        let digest = match record.await {
            Recorded::Statements(digest) => Some(digest),
            Recorded::Undecided => None,
            Recorded::OutOfBounds(what) => {
                tell(&what);
                None
            }
        };
        self.write(digest.as_deref());
        drop(lock);
        digest.filter(|digest| !self.refuted(digest).exists())
    }

    /// A statement of the migrations has failed on a database, and they have gone on: what they send depends on that,
    /// so equal records do not mean equal migrations.
    pub(crate) fn refute(&self) {
        if let Some(Some(digest)) = self.read() {
            let _ = fs::write(self.refuted(&digest), "");
            self.write(None);
        }
    }

    fn refuted(&self, digest: &str) -> PathBuf {
        self.directory.join(format!("{digest}.refuted"))
    }

    /// What is kept, if anything is.
    fn read(&self) -> Option<Option<String>> {
        let unwritten = UNWRITTEN.lock();
        if let Some(kept) = unwritten.get(&self.file) {
            return Some(kept.clone());
        }
        drop(unwritten);
        let text = fs::read_to_string(&self.file).ok()?;
        let (stamp, digest) = text.split_once('\n')?;
        if stamp != self.stamp {
            return None;
        }
        let is_known = digest != UNKNOWN && !self.refuted(digest).exists();
        Some(is_known.then(|| digest.to_owned()))
    }

    fn write(&self, digest: Option<&str>) {
        let draft = self.file.with_extension(std::process::id().to_string());
        let text = format!("{}\n{}", self.stamp, digest.unwrap_or(UNKNOWN));
        if atomic_write(&self.file, &draft, text.as_bytes()).is_err() {
            let mut unwritten = UNWRITTEN.lock();
            unwritten.insert(self.file.clone(), digest.map(str::to_owned));
        }
    }

    /// Waits until no other process records.
    async fn lock(&self, limit: Duration) -> io::Result<Option<FileLock>> {
        fs::create_dir_all(&self.directory)?;
        let path = self.file.with_extension("lock");
        let what = "another process reads what the migrations send";
        FileLock::acquire(&path, limit, what, || false).await
    }
}

/// Reports why migrations could not be recorded, and what to do about it.
pub(crate) fn tell_out_of_bounds(migrations: &str, place: &str, what: &str) {
    progress(&format!(
        "the migrations of `{migrations}` in the schema made at {place} are run once without a database, to \
         read what they send; {what}, so that was given up and says nothing about them\n  \
         note: each build of the test program now makes a template of its own\n  \
         help: to share one between builds, add `.key(\"1\")` to the schema, and another text with \
         each change of a migration"
    ));
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;
    use crate::mysql::dialect::MySqlDialect;

    fn kept(base: &Path, stamp: &str) -> Kept {
        let program = Path::new("program");
        Kept::below(base, program, stamp, "m1 m2", &MySqlDialect)
    }

    async fn get(kept: &Kept, recorded: Recorded) -> (Option<String>, bool) {
        let told = Cell::new(false);
        let got = kept.get_or_record(Bounds::default(), async { recorded }, |_| told.set(true));
        (got.await, told.get())
    }

    fn statements(digest: &str) -> Recorded {
        Recorded::Statements(digest.to_owned())
    }

    #[tokio::test]
    async fn what_was_recorded_stays_until_the_program_changes() {
        let base = tempfile::tempdir().unwrap();
        let (old, new) = (kept(base.path(), "1"), kept(base.path(), "2"));
        let a = Some("a".to_owned());
        assert_eq!(get(&old, statements("a")).await, (a.clone(), false));
        assert_eq!(get(&old, statements("b")).await, (a, false));
        assert_eq!(get(&new, Recorded::Undecided).await, (None, false));
        assert_eq!(get(&new, statements("b")).await, (None, false));
    }

    #[tokio::test]
    async fn a_bound_that_was_reached_is_told_once() {
        let base = tempfile::tempdir().unwrap();
        let kept = kept(base.path(), "1");
        let endless = || Recorded::OutOfBounds("`m1` had not ended".to_owned());
        assert_eq!(get(&kept, endless()).await, (None, true));
        assert_eq!(get(&kept, endless()).await, (None, false));
    }

    #[tokio::test]
    async fn what_was_refuted_counts_for_no_program() {
        let base = tempfile::tempdir().unwrap();
        let (one, other) = (kept(base.path(), "1"), kept(base.path(), "2"));
        get(&one, statements("a")).await;
        one.refute();
        assert_eq!(get(&one, statements("a")).await.0, None);
        assert_eq!(get(&other, statements("a")).await.0, None);
    }

    #[tokio::test]
    async fn many_at_once_record_once() {
        let base = tempfile::tempdir().unwrap();
        let runs = AtomicUsize::new(0);
        let one = async || {
            let kept = kept(base.path(), "1");
            let record = async {
                runs.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
                statements("a")
            };
            kept.get_or_record(Bounds::default(), record, |_| {}).await
        };
        let all = futures::future::join_all((0..8).map(|_| one())).await;
        assert!(all.iter().all(|got| got.as_deref() == Some("a")));
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_process_does_not_wait_for_ever_for_another_that_records() {
        let base = tempfile::tempdir().unwrap();
        let kept = kept(base.path(), "1");
        let other = kept.lock(Duration::ZERO).await.unwrap();
        assert!(other.is_some());
        let bounds = Bounds {
            time: Duration::from_millis(1),
            ..Bounds::default()
        };
        let record = async { statements("a") };
        assert_eq!(kept.get_or_record(bounds, record, |_| {}).await, None);
        drop(other);
        assert_eq!(get(&kept, statements("a")).await.0.as_deref(), Some("a"));
    }

    #[tokio::test]
    async fn without_files_a_process_records_once() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("recorded"), "in the way").unwrap();
        let kept = kept(base.path(), "1");
        let a = Some("a".to_owned());
        assert_eq!(get(&kept, statements("a")).await.0, a);
        assert_eq!(get(&kept, statements("b")).await.0, a);
    }
}
