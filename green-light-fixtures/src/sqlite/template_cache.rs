//! Images of SQLite, kept in files: built by one process, read by all others
//! whose schema is the same, in this run and in later ones.
//!
//! * The name of the file is a digest of all that decides what is in it. A file gets its name when it is whole, and has
//!   a checksum, which is compared when it is read.
//! * One process builds, and holds a lock meanwhile. Others wait for a time, then build for themselves.
//! * If a file cannot be written or read, the image is built in memory.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Once,
    time::{Duration, SystemTime},
};

use green_light_core::progress;
use libsqlite3_sys::SQLITE_VERSION_NUMBER;
use sqlx::sqlite::SqliteConnectOptions;

use crate::backoff::LIMIT;
use crate::digest::short_digest;
use crate::env;
use crate::error::Error;
use crate::failpoint::step;
use crate::files::atomic_write::atomic_write;
use crate::files::base::base;
use crate::files::lock::FileLock;
use crate::schema::build_id::{never_equal, path_and_stamp};
use crate::schema::definition::Schema;
use crate::sqlite::dialect::SqliteDialect;
use crate::sqlite::sandbox::{self, Image};
use crate::sqlite::template_file;
use crate::sqlite::template_prune::{DRAFT, IMAGE, LOCK, remove_unused};

/// Changes when an image is made in another way.
const FORMAT: &str = "2";
/// How often the use of an image is noted in its file.
const NOTED: Duration = Duration::from_secs(60);

/// Where one image is kept.
#[derive(Clone, Debug)]
pub(crate) struct TemplateCache {
    directory: PathBuf,
    name: String,
    /// The name of this run if it builds every image again.
    run: Option<&'static str>,
    /// How long to wait for another process.
    pub(crate) limit: Duration,
}

impl TemplateCache {
    /// The image of `schema`: found, or built. Whether it was built.
    ///
    /// # Errors
    ///
    /// When the schema cannot be applied, or a variable is not understood.
    pub(crate) async fn obtain(
        schema: &Schema,
        options: &SqliteConnectOptions,
        wait: Duration,
    ) -> Result<(Image, bool), Error> {
        let run = env::forced_rebuild()?;
        match Self::below(base().ok(), schema, options, run).await {
            Some(cache) => cache.find_or_build(schema, options, wait).await,
            None => Ok((sandbox::build(schema, options, wait).await?, true)),
        }
    }

    /// The file below `base`. `None` without `base`, or if another image could get the same name.
    pub(crate) async fn below(
        base: Option<&Path>,
        schema: &Schema,
        options: &SqliteConnectOptions,
        run: Option<&'static str>,
    ) -> Option<Self> {
        let directory = base?.join("images");
        let shown = format!("{options:?}");
        // A collation is code that decides on the order in an index, and may bring values along.
        if schema.is_uncacheable() || !shown.contains("collations: []") {
            return None;
        }
        // The standard library may have another checksum in its next release.
        let checksum = template_file::checksum(FORMAT.as_bytes()).to_string();
        let mut parts = vec![checksum, SQLITE_VERSION_NUMBER.to_string()];
        if shown != format!("{:?}", SqliteConnectOptions::new()) {
            // Extensions are code, too.
            parts.extend([shown, path_and_mtime()]);
        }
        // To build an image takes less time than to read a whole program for its digest.
        let digest = schema.persistent_digest(&SqliteDialect, path_and_mtime);
        parts.push(digest.await);
        Some(Self {
            directory,
            name: short_digest(parts),
            run,
            limit: LIMIT,
        })
    }

    pub(crate) async fn find_or_build(
        &self,
        schema: &Schema,
        options: &SqliteConnectOptions,
        wait: Duration,
    ) -> Result<(Image, bool), Error> {
        if let Some(image) = self.look_up() {
            return Ok((image, false));
        }
        let lock = self.lock().await;
        step("lock");
        // The process that had the lock before may have built it.
        if let Some(image) = self.look_up() {
            return Ok((image, false));
        }
        if lock.is_some() && self.run.is_none() && File::open(self.file(IMAGE)).is_ok() {
            progress(&format!(
                "the kept image of the schema made at {} is damaged: building it again",
                schema.place()
            ));
        }
        let image = sandbox::build(schema, options, wait).await?;
        step("built");
        static PRUNED: Once = Once::new();
        if lock.is_some() && self.keep(&image).is_ok() {
            PRUNED.call_once(|| remove_unused(&self.directory));
        }
        Ok((image, true))
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.directory.join(format!("{}.{extension}", self.name))
    }

    /// The image in the file, if that is not damaged. In a run that builds every image again, only one of this run.
    fn look_up(&self) -> Option<Image> {
        let path = self.file(IMAGE);
        let content = fs::read(&path).ok()?;
        let (run, image) = template_file::decode(&content)?;
        if self.run.is_some_and(|ours| ours.as_bytes() != run) {
            return None;
        }
        note_use(&path);
        Some(image.into())
    }

    /// Waits until no other process builds the image, until it is there, or until that has taken too long. `None`
    /// if this process builds for itself alone.
    async fn lock(&self) -> Option<FileLock> {
        fs::create_dir_all(&self.directory).ok()?;
        let path = self.file(LOCK);
        let what = "another process builds the template of this schema";
        let lock = FileLock::acquire(&path, self.limit, what, || self.look_up().is_some()).await;
        lock.ok().flatten()
    }

    /// Puts `image` into its file; the caller holds the lock.
    fn keep(&self, image: &[u8]) -> io::Result<()> {
        let draft = self.file(DRAFT);
        let content = template_file::encode(image, self.run);
        let kept = atomic_write(&self.file(IMAGE), &draft, &content);
        step("kept");
        kept
    }
}

/// Notes that the image in `path` is used, so that it is not removed.
fn note_use(path: &Path) {
    let noted = fs::metadata(path).and_then(|file| file.modified());
    if noted.is_ok_and(|time| time.elapsed().is_ok_and(|since| since > NOTED)) {
        // A user who may not write here does not remove images either.
        let _ = File::options()
            .append(true)
            .open(path)
            .and_then(|file| file.set_modified(SystemTime::now()));
    }
}

/// Of the program that runs this, without looking into its file: also a build that has changed nothing is
/// another one.
fn path_and_mtime() -> String {
    path_and_stamp().map_or_else(
        |_| never_equal(),
        |(path, stamp)| format!("{stamp} {path:?}"),
    )
}
