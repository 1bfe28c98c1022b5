//! The project whose tests are meant.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::arguments::ProjectOptions;
use crate::error::Error;

/// A workspace of cargo.
#[derive(Debug)]
pub(crate) struct Project {
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// What a person calls it.
    pub(crate) name: String,
    /// Where its `Cargo.lock` is.
    pub(crate) root: PathBuf,
    /// Its packages.
    pub(crate) members: Vec<Package>,
    /// Those that were named.
    pub(crate) packages: Vec<String>,
    /// The Cargo.toml that was named.
    manifest: Option<PathBuf>,
    arguments: Vec<OsString>,
}

impl Project {
    /// The project of `options`, or the one here.
    ///
    /// # Errors
    ///
    /// When there is none, or cargo does not understand it.
    pub(crate) fn find(options: &ProjectOptions) -> Result<Self, Error> {
        let mut command = MetadataCommand::new();
        command.no_deps();
        if let Some(manifest) = &options.manifest_path {
            command.manifest_path(manifest);
        }
        let found = command.exec().map_err(|error| not_found(&error))?;
        let mut arguments: Vec<OsString> = Vec::new();
        if let Some(manifest) = &options.manifest_path {
            arguments.extend(["--manifest-path".into(), manifest.into()]);
        }
        for package in &options.packages {
            if !found.packages.iter().any(|known| *known.name == **package) {
                let names = found
                    .packages
                    .iter()
                    .map(|known| format!("`{}`", known.name));
                let names: Vec<_> = names.collect();
                return Err(Error::new(format!(
                    "there is no package `{package}` in `{}`",
                    found.workspace_root
                ))
                .help(format!("write one of {}", names.join(", "))));
            }
            arguments.extend(["--package".into(), package.into()]);
        }
        let root = found.root_package().map(|package| package.name.to_string());
        let directory = || {
            found
                .workspace_root
                .file_name()
                .unwrap_or("tests")
                .to_owned()
        };
        Ok(Self {
            root: found.workspace_root.clone().into_std_path_buf(),
            target: found.target_directory.into_std_path_buf(),
            name: match &options.packages[..] {
                [] => root.unwrap_or_else(directory),
                names => names.join(", "),
            },
            members: found.packages,
            packages: options.packages.clone(),
            manifest: options.manifest_path.clone(),
            arguments,
        })
    }

    /// The package of the directory here, or of the Cargo.toml that was named; none in that of a workspace alone.
    pub(crate) fn here(&self) -> Option<&Package> {
        let manifest = match &self.manifest {
            Some(manifest) => manifest.canonicalize().ok()?,
            None => {
                let here = env::current_dir().ok()?.canonicalize().ok()?;
                let mut above = here.ancestors().map(|above| above.join("Cargo.toml"));
                above.find(|manifest| manifest.is_file())?
            }
        };
        let is_here = |member: &&Package| {
            let own = member.manifest_path.as_std_path();
            own.canonicalize().is_ok_and(|own| own == manifest)
        };
        self.members.iter().find(is_here)
    }

    /// All of its packages, with what each depends on.
    ///
    /// # Errors
    ///
    /// When cargo cannot find out.
    pub(crate) fn dependencies(&self) -> Result<Metadata, Error> {
        let read = |options: &[&str]| {
            let options = options.iter().map(ToString::to_string);
            let mut command = MetadataCommand::new();
            command.manifest_path(self.root.join("Cargo.toml"));
            command.other_options(options.collect::<Vec<_>>()).exec()
        };
        // Who looks should change nothing, so cargo writes the lock file only where it has to.
        let found = read(&["--locked"]).or_else(|_| read(&[]));
        found.map_err(|error| {
            Error::new(format!(
                "the dependencies cannot be read: {}",
                reason(&error)
            ))
            .help("`cargo metadata` in the project has to succeed; see what it says")
        })
    }

    /// A command of cargo for this project.
    pub(crate) fn cargo(&self, subcommand: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(subcommand).args(&self.arguments);
        command
    }
}

/// What cargo said.
fn reason(error: &cargo_metadata::Error) -> String {
    let text = match error {
        cargo_metadata::Error::CargoMetadata { stderr } => stderr.trim().to_owned(),
        other => other.to_string(),
    };
    text.strip_prefix("error: ").unwrap_or(&text).to_owned()
}

fn not_found(error: &cargo_metadata::Error) -> Error {
    Error::new(format!("cargo finds no project: {}", reason(error))).help(
        "run the command in the directory of a project, or name its Cargo.toml: `--manifest-path PATH`",
    )
}

/// A command of cargo as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let mut text = "cargo".to_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        text.push(' ');
        match argument.contains(char::is_whitespace) {
            true => text.extend(["'", &argument, "'"]),
            false => text.push_str(&argument),
        }
    }
    text
}
