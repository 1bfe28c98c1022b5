//! The user that a server runs as: the one who runs the tests, or if that is root, one without privileges. Servers
//! refuse to run as root.

use std::{
    fs::{self, File},
    os::unix::{
        fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

use crate::error::{Error, Kind};
use crate::files::owner;

/// The user that owns the files of a server and runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunAs {
    /// The number of the user who runs the tests.
    asking: u32,
    /// User and group that run the server, if that is another user.
    other: Option<(u32, u32)>,
}

impl RunAs {
    /// The user of this process; for root, the first of `names` that the system knows.
    pub(crate) fn for_server(names: &[&str]) -> Result<Self, Error> {
        let asking = own_id()?;
        if asking != 0 {
            return Ok(Self {
                asking,
                other: None,
            });
        }
        let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let other = names.iter().find_map(|name| entry(&known, name));
        match other {
            Some(_) => Ok(Self { asking, other }),
            None => Err(Error::new(
                Kind::Server,
                "a database server does not run as root, and there is no other user to run it",
            )
            .help(format!(
                "run the tests as another user, or make one named `{}`",
                names.first().copied().unwrap_or("nobody")
            ))),
        }
    }

    /// The number of the user who runs the tests.
    pub(crate) fn asking(self) -> u32 {
        self.asking
    }

    /// Makes `command` run as this user.
    pub(crate) fn apply_to(self, command: &mut Command) {
        if let Some((user, group)) = self.other {
            command.uid(user).gid(group);
        }
    }

    /// The number of the user who runs the server.
    pub(crate) fn running(self) -> u32 {
        self.other.map_or(self.asking, |(user, _)| user)
    }

    /// Makes this user the owner of the directory `path`, but not of what a link leads to.
    pub(crate) fn give(self, path: &Path) -> std::io::Result<()> {
        match self.other {
            Some((user, group)) => {
                let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
                let directory = File::options().read(true).custom_flags(flags).open(path)?;
                fchown(directory, Some(user), Some(group))
            }
            None => Ok(()),
        }
    }

    /// Whether this user can enter `path`, which may not exist yet.
    pub(crate) fn can_enter(self, path: &Path) -> bool {
        let Some((user, group)) = self.other else {
            return true;
        };
        path.ancestors()
            .filter_map(|part| fs::metadata(part).ok())
            .all(|part| {
                let needed = match () {
                    () if part.uid() == user => 0o100,
                    () if part.gid() == group => 0o010,
                    () => 0o001,
                };
                part.mode() & needed != 0
            })
    }
}

/// The number of the user of this process.
fn own_id() -> Result<u32, Error> {
    owner::own_id()
        .ok_or_else(|| Error::new(Kind::Server, "`id -u` does not say which user this is"))
}

/// User and group number of `name` in the text of `/etc/passwd`.
fn entry(known: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = known
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?
        .split(':')
        .skip(1);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_by_its_whole_name() {
        let known =
            "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:8::/:\npostgres:x:101:104:P:/:\n";
        assert_eq!(entry(known, "postgres"), Some((101, 104)));
        assert_eq!(entry(known, "mysql"), None);
    }

    #[test]
    fn an_unprivileged_user_does_not_reach_into_a_private_directory() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let inside = directory.path().join("not yet/there");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let other = RunAs {
            asking: 0,
            other: Some((4_000_000, 4_000_000)),
        };
        assert!(!other.can_enter(&inside));
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o711)).unwrap();
        assert!(other.can_enter(&inside));
        let same = RunAs {
            asking: 0,
            other: None,
        };
        assert!(same.can_enter(&inside));
    }

    #[test]
    fn root_alone_needs_another_user_for_a_server() {
        let user = RunAs::for_server(&["nobody-of-that-name"]);
        if own_id().unwrap() != 0 {
            assert_eq!(user.unwrap().other, None);
            return;
        }
        let error = user.unwrap_err().to_string();
        assert!(error.contains("does not run as root"), "{error}");
        assert!(error.contains("make one named `nobody-of-that-name`"));
    }
}
