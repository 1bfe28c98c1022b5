//! Where green-light has its files: clusters of servers, locks, images of SQLite, databases in files.
//!
//! That is the directory that `GREEN_LIGHT_DIR` names; or `green-light` in the target directory of the running test; or,
//! if there is none or this user cannot write there, a directory in the system's temporary one. If other users can write
//! there as well, it is one of this user in it.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::{LazyLock, OnceLock},
};

use crate::digest::short_digest;
use crate::env::invalid_value;
use crate::error::{Error, Kind};
use crate::files::atomic_write::atomic_write;
use crate::files::owner::{check_writable, make, own_directory_in, own_part, own_path_in};

const VARIABLE: &str = "GREEN_LIGHT_DIR";
/// The file in a directory for one checkout, in the system's temporary one, that says in place of which it is there.
const PLACE: &str = "place";

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
    let (mark, draft) = (
        directory.join(PLACE),
        directory.join(format!("{PLACE}.new")),
    );
    if !mark.exists() {
        atomic_write(&mark, &draft, wanted.as_os_str().as_encoded_bytes())?;
    }
    Ok(directory)
}

/// The directories of this user in the system's temporary one whose checkouts are not there any more.
#[allow(dead_code, reason = "only servers leave much there")]
pub(crate) fn left_in_temporary() -> Vec<PathBuf> {
    // It is not made for this.
    if !own_path_in(&env::temp_dir()).is_dir() {
        return Vec::new();
    }
    own_temporary().map_or_else(|_| Vec::new(), |own| left_in(&own))
}

fn left_in(own: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(own).into_iter().flatten().flatten();
    let directories = entries.map(|entry| entry.path());
    directories
        .filter(|directory| {
            let wanted = fs::read_to_string(directory.join(PLACE)).map(PathBuf::from);
            // What was wanted may never have been made.
            let checkout = wanted.as_ref().ok().and_then(|wanted| wanted.parent());
            checkout.is_some_and(|checkout| checkout.try_exists().is_ok_and(|exists| !exists))
        })
        .collect()
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

/// The target directory of the tests that this process speaks for, if it is none of them.
static TARGET: OnceLock<PathBuf> = OnceLock::new();

/// Uses the target directory `target`, in place of that of the running program. Without effect once the directory is
/// known.
pub(crate) fn use_target_directory(target: PathBuf) {
    let _ = TARGET.set(target);
}

/// The target directory of the running test, if it has one.
fn target() -> Option<PathBuf> {
    if let Some(target) = TARGET.get() {
        return Some(target.clone());
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_a_checkout_is_left_once_that_is_removed() {
        let own = tempfile::tempdir().unwrap();
        let checkout = tempfile::tempdir().unwrap();
        let path = |name: &str| own.path().join(name);
        for name in ["of_a_checkout", "unknown"] {
            fs::create_dir(path(name)).unwrap();
        }
        let wanted = checkout.path().join("target/green-light");
        fs::create_dir(wanted.parent().unwrap()).unwrap();
        fs::write(path("of_a_checkout").join(PLACE), wanted.to_str().unwrap()).unwrap();
        assert!(left_in(own.path()).is_empty());
        checkout.close().unwrap();
        assert_eq!(left_in(own.path()), [path("of_a_checkout")]);
    }
}
