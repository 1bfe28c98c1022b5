//! Where green-light has its files: clusters of servers, locks, images of SQLite, databases in files.
//!
//! That is the directory that `GREEN_LIGHT_DIR` names; or `green-light` in the target directory of the running test; or,
//! if there is none or this user cannot write there, a directory in the system's temporary one. If other users can write
//! there as well, it is one of this user in it.

use std::{
    env, io,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use crate::digest::short_digest;
use crate::env::invalid_value;
use crate::error::{Error, Kind};
use crate::files::owner::{check_writable, make, own_directory_in, own_part};

const VARIABLE: &str = "GREEN_LIGHT_DIR";

/// The directory of green-light's files. It exists and can be written.
///
/// # Errors
///
/// When there is none, with what to write.
pub(crate) fn base() -> Result<&'static Path, Error> {
    static FOUND: LazyLock<Result<PathBuf, Refusal>> = LazyLock::new(find);
    FOUND.as_deref().map_err(Refusal::error)
}

/// Whether the directory can be used that the variable names, if it names one.
///
/// # Errors
///
/// When it cannot, with what to write.
pub(crate) fn check() -> Result<(), Error> {
    if is_named() {
        base()?;
    }
    Ok(())
}

/// Whether the variable names the directory.
pub(crate) fn is_named() -> bool {
    named().is_some()
}

/// A directory of this user in the system's temporary one, in place of `wanted`.
pub(crate) fn in_temporary(wanted: &Path) -> io::Result<PathBuf> {
    let directory =
        own_temporary()?.join(&short_digest([wanted.as_os_str().as_encoded_bytes()])[..8]);
    make(&directory)?;
    check_writable(&directory)?;
    Ok(directory)
}

/// Why there is no directory.
enum Refusal {
    /// Of a path that depends on where a process runs.
    Relative(PathBuf),
    Unusable {
        path: PathBuf,
        named: bool,
        error: io::Error,
    },
}

impl Refusal {
    fn error(&self) -> Error {
        match self {
            Self::Relative(path) => invalid_value(
                VARIABLE,
                &path.to_string_lossy(),
                "write a path that begins with `/`, for the tests of each package run in another directory; below \
                 `[env]` in `.cargo/config.toml`, `GREEN_LIGHT_DIR = { value = \"..\", relative = true }` makes one of \
                 a path that is relative to the directory above `.cargo`",
            ),
            Self::Unusable { path, named, error } => {
                let path = path.display();
                let fact = if *named {
                    format!("`{VARIABLE}={path}` cannot be used: {error}")
                } else {
                    format!("cannot write to `{path}`: {error}")
                };
                Error::new(Kind::Directory, fact).help(cure(error.kind()))
            }
        }
    }
}

/// What to do if files of green-light cannot be written.
pub(crate) fn cure(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ReadOnlyFilesystem => {
            "this file system is read-only: let `GREEN_LIGHT_DIR` name a directory that can be written"
        }
        io::ErrorKind::PermissionDenied => {
            "let the user that runs the tests write there, or let `GREEN_LIGHT_DIR` name a directory of that user"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: make room, as by `cargo clean`, or let `GREEN_LIGHT_DIR` name a directory on another disk"
        }
        io::ErrorKind::InvalidFilename => {
            "this path is too long: let `GREEN_LIGHT_DIR` name a directory with a shorter one"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "there is a file in its place: remove it, or let `GREEN_LIGHT_DIR` name a directory"
        }
        _ => "let `GREEN_LIGHT_DIR` name a directory on a local disk that can be written",
    }
}

fn find() -> Result<PathBuf, Refusal> {
    let usable = |path: &Path| {
        let own = own_part(path)?;
        check_writable(&own).map(|()| own)
    };
    if let Some(path) = named() {
        if !path.is_absolute() {
            return Err(Refusal::Relative(path));
        }
        return usable(&path).map_err(|error| Refusal::Unusable {
            path,
            named: true,
            error,
        });
    }
    let (path, found) = match target() {
        Some(target) => {
            let path = target.join("green-light");
            let found = match usable(&path) {
                Err(error) if is_forbidden(&error) => in_temporary(&path),
                found => found,
            };
            (path, found)
        }
        None => (env::temp_dir(), own_temporary()),
    };
    found.map_err(|error| Refusal::Unusable {
        path,
        named: false,
        error,
    })
}

fn named() -> Option<PathBuf> {
    let text = env::var_os(VARIABLE)?;
    (!text.to_string_lossy().trim().is_empty()).then(|| text.into())
}

/// The target directory of the running test, if it has one.
fn target() -> Option<PathBuf> {
    let executable = env::current_exe().ok()?;
    let target = executable
        .ancestors()
        .find(|path| path.join("CACHEDIR.TAG").is_file());
    target.map(Path::to_owned)
}

/// Whether another user could write there, or to another directory.
fn is_forbidden(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// The directory of this user in the system's temporary one, where every user can write.
fn own_temporary() -> io::Result<PathBuf> {
    let temporary = env::temp_dir();
    make(&temporary)?;
    own_directory_in(&temporary)
}
