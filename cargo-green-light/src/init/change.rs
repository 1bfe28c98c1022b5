//! One file that is written, or one that gets a few lines.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::print::{BAD, FAINT, GOOD, STRONG};

/// Lines around a difference that are shown with it.
const AROUND: usize = 3;

#[derive(Debug)]
pub(crate) struct Change {
    path: PathBuf,
    /// None for a new file.
    before: Option<String>,
    after: String,
    what: String,
}

impl Change {
    pub(crate) fn new_file(path: PathBuf, text: String) -> Self {
        Self {
            path,
            before: None,
            after: text,
            what: "what the database of a test holds, and a first test".to_owned(),
        }
    }

    pub(crate) fn of_file(path: PathBuf, before: String, after: String, what: String) -> Self {
        Self {
            path,
            before: Some(before),
            after,
            what,
        }
    }

    /// Writes it, unless the file has changed, or is there, since it was looked at.
    ///
    /// # Errors
    ///
    /// Then, and when the system refuses.
    pub(crate) fn write(&self) -> Result<(), Error> {
        let shown = self.path.display();
        let now = fs::read_to_string(&self.path).ok();
        if now != self.before {
            return Err(Error::new(format!(
                "`{shown}` was changed by another program meanwhile"
            ))
            .help("run `cargo green-light init` again"));
        }
        let parent = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&self.path, &self.after))
            .map_err(|error| {
                Error::new(format!("`{shown}` cannot be written: {error}"))
                    .help("let this user write there, and run `cargo green-light init` again")
            })
    }

    pub(crate) fn verb(&self) -> &'static str {
        match self.before {
            None => "wrote",
            Some(_) => "changed",
        }
    }

    /// Which file, and what it has now.
    pub(crate) fn words(&self, root: &Path) -> String {
        format!("`{}`: {}", self.relative(root), self.what)
    }

    fn relative(&self, root: &Path) -> String {
        let path = self.path.strip_prefix(root).unwrap_or(&self.path);
        path.display().to_string()
    }

    /// Prints the difference, as `diff -u` does.
    pub(crate) fn print(&self, root: &Path) {
        for line in self.difference(root).lines() {
            match line.get(..1) {
                _ if line.starts_with("---") || line.starts_with("+++") => {
                    anstream::println!("{STRONG}{line}{STRONG:#}");
                }
                Some("+") => anstream::println!("{GOOD}{line}{GOOD:#}"),
                Some("-") => anstream::println!("{BAD}{line}{BAD:#}"),
                Some("@") => anstream::println!("{FAINT}{line}{FAINT:#}"),
                _ => anstream::println!("{line}"),
            }
        }
    }

    /// All that differs, as one hunk, which `patch` takes.
    fn difference(&self, root: &Path) -> String {
        let name = self.relative(root);
        let before: Vec<&str> = self.before.iter().flat_map(|text| text.lines()).collect();
        let after: Vec<&str> = self.after.lines().collect();
        let same = |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| {
            pairs.take_while(|(one, other)| one == other).count()
        };
        let head = same(&mut before.iter().zip(&after));
        let rest = (&before[head..], &after[head..]);
        let tail = same(&mut rest.0.iter().rev().zip(rest.1.iter().rev()));
        let begin = head.saturating_sub(AROUND);
        let last = tail.saturating_sub(AROUND);
        let part = |lines: &[&str]| {
            let count = lines.len() - last - begin;
            let first = if count == 0 { 0 } else { begin + 1 };
            format!("{first},{count}")
        };
        let mut text = match self.before {
            None => "--- /dev/null\n".to_owned(),
            Some(_) => format!("--- a/{name}\n"),
        };
        text.push_str(&format!(
            "+++ b/{name}\n@@ -{} +{} @@\n",
            part(&before),
            part(&after)
        ));
        let mut lines = |mark: char, lines: &[&str]| {
            for line in lines {
                text.push(mark);
                text.push_str(line);
                text.push('\n');
            }
        };
        lines(' ', &before[begin..head]);
        lines('-', &before[head..before.len() - tail]);
        lines('+', &after[head..after.len() - tail]);
        lines(' ', &after[after.len() - tail..after.len() - last]);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_three_lines_around_it() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n";
        let after = "1\n2\n3\n4\nnew\n5\n6\n7\n8\n";
        let path = Path::new("/p/Cargo.toml");
        let change = Change::of_file(path.into(), before.into(), after.into(), String::new());
        assert_eq!(
            change.difference(Path::new("/p")),
            "--- a/Cargo.toml\n+++ b/Cargo.toml\n@@ -2,6 +2,7 @@\n 2\n 3\n 4\n+new\n 5\n 6\n 7\n"
        );
        let change = Change::new_file("/p/a.rs".into(), "1\n2\n".into());
        assert_eq!(
            change.difference(Path::new("/p")),
            "--- /dev/null\n+++ b/a.rs\n@@ -0,0 +1,2 @@\n+1\n+2\n"
        );
    }
}
