//! Identifies this build of the test program by the content of its file.
//!
//! The same source makes the same file, so after a change that is reverted, the old template is found again. To read a
//! whole program takes a tenth of a second, so the result is kept in a file, as long as size and time of the program
//! stay.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hasher as _},
    io::{self, Read as _},
    path::Path,
};

use crate::digest::short_digest;
use crate::files::atomic_write::atomic_write;
use crate::files::base::base;
use crate::schema::build_id::{never_equal, path_and_stamp};

/// The id of the program that runs this.
pub(crate) fn content_id() -> String {
    path_and_stamp()
        .and_then(|(program, stamp)| {
            let known = base().map_err(io::Error::other)?.join("programs");
            content_id_of(&program, &stamp, &known)
        })
        // A template for each process is better than one that is out of date.
        .unwrap_or_else(|_| never_equal())
}

fn content_id_of(program: &Path, stamp: &str, known: &Path) -> io::Result<String> {
    let note = known.join(short_digest([program.as_os_str().as_encoded_bytes()]));
    if let Ok(text) = fs::read_to_string(&note)
        && let Some((noted, content)) = text.split_once('\n')
        && noted == stamp
    {
        return Ok(content.to_owned());
    }
    let content = hash(program)?;
    // If it cannot be written, it is found out again next time.
    let draft = note.with_extension(std::process::id().to_string());
    let text = format!("{stamp}\n{content}");
    let _ = fs::create_dir_all(known).and_then(|()| atomic_write(&note, &draft, text.as_bytes()));
    Ok(content)
}

fn hash(program: &Path) -> io::Result<String> {
    let mut file = File::open(program)?;
    let mut hasher = DefaultHasher::new();
    let mut length = 0_u64;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(format!("program {length} {:016x}", hasher.finish()));
        }
        hasher.write(&buffer[..read]);
        length += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::schema::build_id::stamp;

    #[test]
    fn follows_the_content_and_not_the_time() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("program");
        let known = directory.path().join("known");
        let identity = |content: &str, age: u64| {
            fs::write(&program, content).unwrap();
            let time = SystemTime::now() - Duration::from_secs(age);
            let file = File::options().write(true).open(&program).unwrap();
            file.set_modified(time).unwrap();
            content_id_of(&program, &stamp(&program).unwrap(), &known).unwrap()
        };
        let first = identity("one", 1000);
        let second = identity("two", 900);
        assert_ne!(first, second);
        assert_eq!(identity("one", 800), first);
        assert_eq!(
            content_id_of(&program, &stamp(&program).unwrap(), &known).unwrap(),
            first,
            "as noted"
        );
        assert_eq!(fs::read_dir(&known).unwrap().count(), 1);
    }

    #[test]
    fn knows_this_program() {
        assert!(content_id().starts_with("program "));
        assert_eq!(content_id(), content_id());
    }
}
