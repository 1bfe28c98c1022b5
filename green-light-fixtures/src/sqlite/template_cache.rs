//! Images of SQLite, kept in files below the target directory: built by one process, read by all others
//! whose schema is the same, in this run and in later ones.
//!
//! * An image has the name of all that decides what is in it. It gets that name when it is whole, and is
//!   looked at again when it is read.
//! * One process builds, under a lock that the system gives back however the process ends. Others wait;
//!   not for ever, as each can build for itself.
//! * Nothing here is an error. Where no file can be written or read, the image is built in memory.
//! * An image is read at once and as a whole: one that is removed meanwhile is still read to its end.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Once,
    time::{Duration, Instant, SystemTime},
};

use crate::driver::backend::Backend;
use green_light_core::progress;
use libsqlite3_sys::SQLITE_VERSION_NUMBER;
use sqlx::sqlite::SqliteConnectOptions;

use crate::backoff::{LIMIT, Waiting};
use crate::error::Error;
use crate::files::temp_dir::target_base;
use crate::forced_rebuild;
use crate::schema::build_id::place_and_time;
use crate::schema::definition::{Schema, short_digest};
use crate::sqlite::failpoint::step;
use crate::sqlite::sandbox;
use crate::sqlite::sandbox::Image;
use crate::sqlite::template_file::{Sealed, seal};
use crate::sqlite::template_prune;

/// Changes when an image is made in another way.
const FORMAT: &str = "1";
/// How often it is noted that an image is still used.
const NOTED: Duration = Duration::from_secs(60);

/// The place of one image.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    directory: PathBuf,
    name: String,
    /// The run in which images are built anew.
    run: Option<&'static str>,
    /// How long to wait for another process.
    pub(crate) limit: Duration,
}

/// What is found in the place of an image.
enum Found {
    Whole(Image),
    Nothing,
    Damaged,
}

impl Shelf {
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
        let run = forced_rebuild::wanted()?;
        match Self::below(target_base(), schema, options, run).await {
            Some(shelf) => shelf.find_or_build(schema, options, wait).await,
            None => Ok((sandbox::build(schema, options, wait).await?, true)),
        }
    }

    /// The place below `base`; none if there is no `base`, or if the image could not be told from others.
    pub(crate) async fn below(
        base: Option<PathBuf>,
        schema: &Schema,
        options: &SqliteConnectOptions,
        run: Option<&'static str>,
    ) -> Option<Self> {
        let directory = base?.join("images");
        let shown = format!("{options:?}");
        // A collation is code that decides on the order in an index, and may bring values along.
        if schema.is_of_its_own() || !shown.contains("collations: []") {
            return None;
        }
        let mut parts = vec![FORMAT.to_owned(), SQLITE_VERSION_NUMBER.to_string()];
        if shown != format!("{:?}", SqliteConnectOptions::new()) {
            // Extensions have code as well.
            parts.extend([shown, place_and_time()]);
        }
        parts.push(schema.lasting_digest(Backend::Sqlite).await);
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
        if let Found::Whole(image) = self.look() {
            return Ok((image, false));
        }
        let turn = self.turn().await;
        step("turn");
        // Whoever had the turn before may have built it.
        match self.look() {
            Found::Whole(image) => return Ok((image, false)),
            Found::Damaged if turn.is_some() => progress(&format!(
                "the kept image of the schema made at {} is damaged: building it again",
                schema.place()
            )),
            _ => {}
        }
        let image = sandbox::build(schema, options, wait).await?;
        step("built");
        static SWEPT: Once = Once::new();
        if turn.is_some() && self.keep(&image).is_ok() {
            SWEPT.call_once(|| template_prune::old(&self.directory));
        }
        Ok((image, true))
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.directory.join(format!("{}.{extension}", self.name))
    }

    fn look(&self) -> Found {
        let path = self.file(template_prune::IMAGE);
        let Ok(file) = fs::read(&path) else {
            return Found::Nothing;
        };
        match Sealed::open(&file) {
            None => Found::Damaged,
            Some(sealed) if self.run.is_some_and(|run| !sealed.is_of(run)) => Found::Nothing,
            Some(sealed) => {
                note_use(&path);
                Found::Whole(sealed.image)
            }
        }
    }

    /// Waits for the right to build, until there is an image or it has taken too long. Nothing if this
    /// process has no such right and may build for itself alone.
    async fn turn(&self) -> Option<File> {
        fs::create_dir_all(&self.directory).ok()?;
        let lock = File::options()
            .create(true)
            .append(true)
            .open(self.file(template_prune::LOCK))
            .ok()?;
        step("lock");
        let (begun, mut waiting) = (Instant::now(), Waiting::new());
        loop {
            match lock.try_lock() {
                Ok(()) => return Some(lock),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(_)) => return None,
            }
            if begun.elapsed() >= self.limit || matches!(self.look(), Found::Whole(_)) {
                return None;
            }
            waiting
                .pause(|| "another process builds the template of this schema".to_owned())
                .await;
        }
    }

    /// Puts `image` into its place; the caller has the turn.
    fn keep(&self, image: &[u8]) -> io::Result<()> {
        // It may be there, from a builder that was killed.
        let draft = self.file(template_prune::DRAFT);
        let kept = write(&draft, &seal(image, self.run)).and_then(|()| {
            step("written");
            fs::rename(&draft, self.file(template_prune::IMAGE))
        });
        if kept.is_err() {
            let _ = fs::remove_file(&draft);
        }
        step("kept");
        kept
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    step("created");
    let (one, other) = content.split_at(content.len() / 2);
    file.write_all(one)?;
    step("half");
    file.write_all(other)
}

/// Notes that the image in `path` is used, so that it is not removed.
fn note_use(path: &Path) {
    let noted = fs::metadata(path).and_then(|file| file.modified());
    if noted.is_ok_and(|time| time.elapsed().is_ok_and(|since| since > NOTED)) {
        // Who may not write here does not remove anything either.
        let _ = File::options()
            .append(true)
            .open(path)
            .and_then(|file| file.set_modified(SystemTime::now()));
    }
}
