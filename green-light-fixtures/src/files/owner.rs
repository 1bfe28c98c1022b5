//! Directories that belong to the user who runs the tests, and into which no other user can put anything: neither a file
//! nor a link that leads to another one.

use std::{
    fs::{self, DirBuilder},
    io,
    path::{Path, PathBuf},
};

/// How the name of a directory begins that one user has among those of others.
const OWN: &str = "green-light";

/// Makes the directory `path` and those above it. It may exist. Only its owner can write there.
///
/// The server that root starts runs as another user. So what root makes can be entered, whatever the umask.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    match system::create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = path.parent().ok_or(error)?;
            make(above)?;
            system::create(path).or_else(|error| existing(path, error))
        }
        made => made.or_else(|error| existing(path, error)),
    }
}

fn existing(path: &Path, error: io::Error) -> io::Result<()> {
    // Another process may have made it meanwhile.
    if path.is_dir() { Ok(()) } else { Err(error) }
}

/// The directory `path` if no other user can write there, or else the one that this user has in it.
pub(crate) fn own_part(path: &Path) -> io::Result<PathBuf> {
    make(path)?;
    if system::is_private(&fs::metadata(path)?) {
        return Ok(path.to_owned());
    }
    own_directory_in(path)
}

/// Where the directory of this user is in `path`, if it is there.
pub(crate) fn own_path_in(path: &Path) -> PathBuf {
    path.join(own_id().map_or_else(|| OWN.to_owned(), |number| format!("{OWN}-{number}")))
}

/// The directory of this user in `path`, which it shares with other users.
pub(crate) fn own_directory_in(path: &Path) -> io::Result<PathBuf> {
    let own = own_path_in(path);
    make(&own)?;
    // Not of what a link leads to.
    if system::is_private(&fs::symlink_metadata(&own)?) {
        return Ok(own);
    }
    let theirs = format!("`{}` belongs to another user", own.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, theirs))
}

/// Whether this process can make files in the directory `path`.
pub(crate) fn check_writable(path: &Path) -> io::Result<()> {
    let probe = path.join(format!("writable-{}", std::process::id()));
    let _ = fs::remove_file(&probe);
    fs::File::create_new(&probe)?;
    fs::remove_file(&probe)
}

pub(crate) use system::own_id;

#[cfg(unix)]
mod system {
    use std::{
        fs::{Metadata, Permissions},
        os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
        process::Command,
        sync::LazyLock,
    };

    use super::*;

    const ROOT: u32 = 0;

    pub(super) fn create(path: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o755).create(path)?;
        if own_id() != Some(ROOT) {
            return Ok(());
        }
        let mode = fs::metadata(path)?.mode();
        fs::set_permissions(path, Permissions::from_mode(mode | 0o111))
    }

    /// Whether it is a directory of this user in which no other user can write.
    pub(super) fn is_private(found: &Metadata) -> bool {
        found.is_dir()
            && own_id().is_none_or(|number| number == found.uid())
            && found.mode() & 0o022 == 0
    }

    /// The number of the user of this process.
    pub(crate) fn own_id() -> Option<u32> {
        static NUMBER: LazyLock<Option<u32>> = LazyLock::new(|| {
            if let Ok(process) = fs::metadata("/proc/self") {
                return Some(process.uid());
            }
            let output = Command::new("id").arg("-u").output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        });
        *NUMBER
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::Metadata;

    use super::*;

    pub(super) fn create(path: &Path) -> io::Result<()> {
        DirBuilder::new().create(path)
    }

    pub(super) fn is_private(found: &Metadata) -> bool {
        found.is_dir()
    }

    pub(crate) fn own_id() -> Option<u32> {
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{
        fs::Permissions,
        os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink},
    };

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    }

    #[test]
    fn knows_who_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let owner = fs::metadata(file.path()).unwrap().uid();
        assert_eq!(own_id(), Some(owner));
    }

    #[test]
    fn where_others_can_write_each_user_has_a_directory_of_its_own() {
        let place = tempfile::tempdir().unwrap();
        let named = place.path().join("a/b");
        assert_eq!(own_part(&named).unwrap(), named);
        assert_eq!(fs::metadata(&named).unwrap().mode() & 0o022, 0);
        let own = named.join(format!("green-light-{}", own_id().unwrap()));
        for shared in [0o777, 0o1777, 0o775] {
            mode(&named, shared);
            assert_eq!(own_part(&named).unwrap(), own);
            check_writable(&own).unwrap();
        }
        assert_eq!(fs::read_dir(&own).unwrap().count(), 0);
    }

    #[test]
    fn a_link_or_a_directory_of_another_user_in_that_place_is_refused() {
        let (place, mine) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        mode(place.path(), 0o1777);
        let own = place
            .path()
            .join(format!("green-light-{}", own_id().unwrap()));
        symlink(mine.path(), &own).unwrap();
        let refused = own_part(place.path()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        assert!(refused.to_string().contains("belongs to another user"));
        fs::remove_file(&own).unwrap();
        fs::create_dir(&own).unwrap();
        mode(&own, 0o777);
        own_part(place.path()).expect_err("everybody can write there");
        mode(&own, 0o755);
        own_part(place.path()).unwrap();
        // Only root can give a directory away.
        if own_id() == Some(0) {
            chown(&own, Some(4_000_000), None).unwrap();
            own_part(place.path()).expect_err("it is of another user");
        }
    }
}
