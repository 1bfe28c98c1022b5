//! The project whose tests are meant.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use cargo_metadata::MetadataCommand;

use crate::arguments::ProjectOptions;
use crate::error::Error;

/// A workspace of cargo.
#[derive(Debug)]
pub(crate) struct Project {
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// What a person calls it.
    pub(crate) name: String,
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
            target: found.target_directory.into_std_path_buf(),
            name: match &options.packages[..] {
                [] => root.unwrap_or_else(directory),
                names => names.join(", "),
            },
            arguments,
        })
    }

    /// A command of cargo for this project.
    pub(crate) fn cargo(&self, subcommand: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(subcommand).args(&self.arguments);
        command
    }
}

fn not_found(error: &cargo_metadata::Error) -> Error {
    let text = match error {
        cargo_metadata::Error::CargoMetadata { stderr } => stderr.trim().to_owned(),
        other => other.to_string(),
    };
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    Error::new(format!("cargo finds no project: {text}")).help(
        "run the command in the directory of a project, or name its Cargo.toml: `--manifest-path PATH`",
    )
}
