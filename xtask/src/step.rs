//! One program to run: shown before it runs, its failure told in one sentence.

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A program and its arguments.
pub(crate) struct Step {
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    directory: Option<PathBuf>,
}

impl Step {
    /// A program.
    pub(crate) fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            directory: None,
        }
    }

    /// The cargo that runs this task, so that `cargo +nightly xtask` stays on nightly.
    pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Self {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        arguments.into_iter().fold(Self::new(cargo), Step::arg)
    }

    /// The same program with one more argument.
    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// The same program with a variable in its environment.
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// The same program in another directory.
    pub(crate) fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Runs it to its end, its output being ours.
    pub(crate) fn run(&self) -> Result<(), String> {
        println!("\n==> {self}");
        match self.command().status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{self}` failed: {status}")),
            Err(error) => Err(format!("`{self}` could not be started: {error}")),
        }
    }

    /// Runs it to its end like [`run`](Self::run), and fails if it writes anything to its standard error.
    pub(crate) fn run_silent(&self) -> Result<(), String> {
        println!("\n==> {self}");
        let output = self.command().stdout(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("`{self}` could not be started: {error}"))?;
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        match output.status.success() {
            true if output.stderr.is_empty() => Ok(()),
            true => Err(format!("`{self}` has warnings")),
            false => Err(format!("`{self}` failed: {}", output.status)),
        }
    }

    /// Whether it runs to a good end, its output being nobody's business.
    pub(crate) fn succeeds(&self) -> bool {
        let status = self
            .command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // Nothing may wait for an answer: there is nobody to give it in CI.
        command
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(directory) = &self.directory {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
            let shown = root.and_then(|root| directory.strip_prefix(root).ok());
            write!(f, "cd {} && ", shown.unwrap_or(directory).display())?;
        }
        for (name, value) in &self.variables {
            write!(f, "{name}={} ", value.to_string_lossy())?;
        }
        let program = Path::new(&self.program);
        f.write_str(
            &program
                .file_name()
                .unwrap_or(&self.program)
                .to_string_lossy(),
        )?;
        for argument in &self.arguments {
            let argument = argument.to_string_lossy();
            if argument.contains(' ') {
                write!(f, " '{argument}'")?;
            } else {
                write!(f, " {argument}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Step;

    #[test]
    fn reads_as_one_would_type_it() {
        let step = Step::new("/usr/bin/cargo").arg("test").arg("not ui");
        assert_eq!(step.to_string(), "cargo test 'not ui'");
        let step = step.env("A", "b");
        assert_eq!(step.to_string(), "A=b cargo test 'not ui'");
        let step = step.current_dir("tests");
        assert_eq!(step.to_string(), "cd tests && A=b cargo test 'not ui'");
    }

    #[test]
    fn says_which_program_is_missing() {
        let error = Step::new("no-such-program").run().unwrap_err();
        assert!(
            error.starts_with("`no-such-program` could not be started: "),
            "{error}"
        );
    }

    #[test]
    fn says_which_program_failed() {
        for error in [Step::new("false").run(), Step::new("false").run_silent()] {
            let error = error.unwrap_err();
            assert!(error.starts_with("`false` failed: "), "{error}");
        }
    }

    #[test]
    fn what_must_be_silent_may_not_warn() {
        let shell = |script| Step::new("sh").arg("-c").arg(script).run_silent();
        assert_eq!(shell("echo fine"), Ok(()));
        let error = shell("echo 'warning: unused' >&2").unwrap_err();
        assert!(error.ends_with(" has warnings"), "{error}");
    }
}
