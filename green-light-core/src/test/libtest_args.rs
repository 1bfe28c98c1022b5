//! What the arguments of libtest select, apart from how it runs them and what it prints.
//!
//! The own binary is asked for its plan. It must be asked for the same tests, and must answer in the
//! format that is read here: with `--format=json`, `--quiet` or `--logfile=FILE` of the run itself it
//! would answer in another, or write over the file. So only what selects tests is passed on.

use std::ffi::{OsStr, OsString};

/// The arguments that select tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Names, or parts of names.
    filters: Vec<OsString>,
    /// Values of `--skip`.
    skipped: Vec<OsString>,
    exact: bool,
    ignored: bool,
    include_ignored: bool,
    exclude_should_panic: bool,
    bench: bool,
    test: bool,
}

/// Options of libtest with a value, in the next argument or after `=`. `-Z` may have it behind it.
const WITH_VALUE: &[&str] = &[
    "--color",
    "--format",
    "--logfile",
    "--shuffle-seed",
    "--skip",
    "--test-threads",
    "-Z",
];

impl Selection {
    /// Reads the arguments behind the name of the program, as libtest does.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut selection = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let Some(text) = argument.to_str() else {
                selection.read_bytes(argument);
                continue;
            };
            if text == "--" {
                selection.filters.extend(arguments);
                break;
            }
            if !text.starts_with('-') || text == "-" {
                selection.filters.push(argument);
            } else if let Some((name, value)) = text.split_once('=') {
                if name == "--skip" {
                    selection.skipped.push(value.into());
                }
            } else if WITH_VALUE.contains(&text) || ends_with_z(text) {
                let value = arguments.next();
                if text == "--skip" {
                    selection.skipped.extend(value);
                }
            } else {
                selection.flag(text);
            }
        }
        selection
    }

    /// An argument that is no text can only be a filter, or the value of an option.
    fn read_bytes(&mut self, argument: OsString) {
        let bytes = argument.as_encoded_bytes();
        if !bytes.starts_with(b"-") {
            self.filters.push(argument);
        }
    }

    fn flag(&mut self, name: &str) {
        match name {
            "--exact" => self.exact = true,
            "--ignored" => self.ignored = true,
            "--include-ignored" => self.include_ignored = true,
            "--exclude-should-panic" => self.exclude_should_panic = true,
            "--bench" => self.bench = true,
            "--test" => self.test = true,
            _ => {}
        }
    }

    /// Whether tests marked `#[ignore]` run.
    pub(crate) fn runs_ignored(&self) -> bool {
        self.ignored || self.include_ignored
    }

    /// Arguments that make the program list what is selected, one `name: test` a line.
    pub(crate) fn listing(&self) -> Vec<OsString> {
        let mut arguments = vec![OsString::from("--list")];
        let flags = [
            (self.exact, "--exact"),
            (self.ignored, "--ignored"),
            (self.include_ignored, "--include-ignored"),
            (self.exclude_should_panic, "-Zunstable-options"),
            (self.exclude_should_panic, "--exclude-should-panic"),
            (self.bench, "--bench"),
            (self.test, "--test"),
        ];
        let set = flags.iter().filter(|(is_set, _)| *is_set);
        arguments.extend(set.map(|(_, flag)| OsString::from(flag)));
        for skipped in &self.skipped {
            arguments.push("--skip".into());
            arguments.push(skipped.clone());
        }
        // Behind `--` nothing is an option.
        arguments.push("--".into());
        arguments.extend(self.filters.iter().cloned());
        arguments
    }
}

/// `-qZ`, whose value is the next argument. `-Zunstable-options` has its own.
fn ends_with_z(argument: &str) -> bool {
    let is_short = !argument.starts_with("--");
    is_short
        && OsStr::new(argument)
            .as_encoded_bytes()
            .iter()
            .position(|b| *b == b'Z')
            == Some(argument.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(arguments: &str) -> String {
        let arguments = arguments.split_whitespace().map(OsString::from);
        let listing = Selection::read(arguments).listing();
        let text: Vec<_> = listing
            .iter()
            .map(|argument| argument.to_string_lossy())
            .collect();
        text.join(" ")
    }

    #[test]
    fn what_changes_the_output_is_left_out() {
        for arguments in [
            "--format json",
            "--format=json",
            "--format terse -Z unstable-options",
            "-Zunstable-options --format=junit",
            "-qZunstable-options",
            "-qZ unstable-options",
            "-q",
            "--quiet",
            "--logfile FILE",
            "--logfile=FILE",
            "--nocapture",
            "--no-capture",
            "--show-output",
            "--report-time",
            "--ensure-time",
            "--shuffle",
            "--shuffle-seed 3",
            "--shuffle-seed=3",
            "--test-threads 1",
            "--test-threads=1",
            "--color always",
            "--color=always",
            "--force-run-in-process",
            "--list",
        ] {
            assert_eq!(listing(arguments), "--list --", "{arguments}");
        }
    }

    #[test]
    fn what_selects_tests_is_passed_on() {
        for (arguments, expected) in [
            ("one two", "--list -- one two"),
            ("--exact one", "--list --exact -- one"),
            ("one --ignored", "--list --ignored -- one"),
            ("--include-ignored", "--list --include-ignored --"),
            ("--skip one --skip=two", "--list --skip one --skip two --"),
            ("--skip --ignored", "--list --skip --ignored --"),
            ("--format json one", "--list -- one"),
            ("-Z unstable-options one", "--list -- one"),
            ("-Zunstable-options one", "--list -- one"),
            (
                "--exclude-should-panic -Zunstable-options",
                "--list -Zunstable-options --exclude-should-panic --",
            ),
            ("--bench one", "--list --bench -- one"),
            ("--bench --test", "--list --bench --test --"),
            ("-- --ignored", "--list -- --ignored"),
        ] {
            assert_eq!(listing(arguments), expected, "{arguments}");
        }
    }

    #[test]
    fn a_filter_behind_two_dashes_is_no_option() {
        let read = |arguments: &str| {
            Selection::read(arguments.split_whitespace().map(OsString::from)).runs_ignored()
        };
        assert!(read("--ignored") && read("--include-ignored"));
        assert!(!read("-- --ignored") && !read("--skip --ignored"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_a_filter_or_the_value_of_an_option() {
        use std::os::unix::ffi::OsStrExt as _;

        let [filter, option, path] = [&b"\xffa"[..], b"--logfile=\xff", b"\xff"]
            .map(|bytes| OsStr::from_bytes(bytes).to_owned());
        let arguments = [filter.clone(), option, "--logfile".into(), path];
        let listing = Selection::read(arguments).listing();
        assert_eq!(listing, [OsString::from("--list"), "--".into(), filter]);
    }
}
