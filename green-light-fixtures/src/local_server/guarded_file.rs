//! Files in the directory of a server.
//!
//! When root runs the tests, the user who runs the server owns that directory, and could put links or pipes there. They
//! do not lead root to another file, and do not make it wait.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Read as _},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

/// The text of the file `path`; empty if there is no such file.
pub(crate) fn read(path: &Path) -> String {
    let mut text = String::new();
    let read = open(OpenOptions::new().read(true), path)
        .and_then(|mut file| file.read_to_string(&mut text));
    if read.is_err() {
        text.clear();
    }
    text
}

/// Opens the file `path`, but not what a link leads to.
pub(crate) fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = no_link(options, path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("it is not a file; remove it"))
}

/// Opens the pipe `path` for writing. An error if no process reads from it.
pub(crate) fn open_pipe(path: &Path) -> io::Result<File> {
    let pipe = no_link(OpenOptions::new().write(true), path)?;
    if pipe.metadata()?.file_type().is_fifo() {
        return Ok(pipe);
    }
    Err(io::Error::other("it is not a pipe"))
}

/// Makes the file `path`, in the place of one that is there.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let _ = fs::remove_file(path);
    File::create_new(path)
}

/// Lets the user of the server read the file `path`, whatever the umask of this process is.
pub(crate) fn let_read(path: &Path) -> io::Result<()> {
    let file = open(OpenOptions::new().read(true), path)?;
    file.set_permissions(Permissions::from_mode(0o644))
}

/// Opens `path`, and does not wait for another side of it.
fn no_link(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let opened = options.custom_flags(flags).open(path);
    opened.map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => io::Error::other("there is a link in its place; remove it"),
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_or_a_pipe_is_no_file() {
        let place = tempfile::tempdir().unwrap();
        let (victim, planted) = (place.path().join("victim"), place.path().join("planted"));
        fs::write(&victim, "secret").unwrap();
        symlink(&victim, &planted).unwrap();
        assert_eq!(
            (read(&victim), read(&planted)),
            ("secret".to_owned(), String::new())
        );
        let refused = open(OpenOptions::new().append(true).create(true), &planted).unwrap_err();
        assert!(refused.to_string().contains("there is a link in its place"));
        let_read(&planted).expect_err("it is a link");
        open_pipe(&victim).expect_err("it is no pipe");
        create(&planted).unwrap();
        assert_eq!(read(&victim), "secret");
        assert!(fs::symlink_metadata(&planted).unwrap().is_file());
        fs::remove_file(&planted).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&planted).status();
        assert!(made.unwrap().success());
        assert_eq!(read(&planted), "", "and it does not wait for a writer");
    }
}
