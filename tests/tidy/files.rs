//! The files of the repository, and how complaints about them are told.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use proc_macro2::TokenStream;

/// A file of the repository.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Whether the text is what a tool made or a compiler must see exactly so.
    pub(crate) fn is_sample(&self) -> bool {
        self.path.starts_with("tests/ui/") || self.path.contains("/snapshots/")
    }

    pub(crate) fn tokens(&self) -> TokenStream {
        self.text
            .parse()
            .unwrap_or_else(|error| panic!("{} does not parse: {error}", self.path))
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files that are text.
pub(crate) fn files() -> Vec<File> {
    let git = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output();
    let mut paths = BTreeSet::new();
    match git {
        Ok(output) if output.status.success() => {
            let list = String::from_utf8(output.stdout).unwrap();
            paths.extend(list.split_terminator('\0').map(PathBuf::from));
        }
        // A source archive has no git; everything in it belongs to the project.
        _ => walk(Path::new(""), &mut paths),
    }
    let files: Vec<File> = paths
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(root().join(&path)).ok()?;
            Some(File {
                path: path.to_str()?.to_owned(),
                text,
            })
        })
        .collect();
    assert!(
        files.iter().any(|file| file.path == "tests/tidy/main.rs"),
        "no files found in {:?}",
        root()
    );
    files
}

fn walk(folder: &Path, paths: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if !entry.file_type().unwrap().is_dir() {
            paths.insert(path);
        } else if entry.file_name() != "target" {
            walk(&path, paths);
        }
    }
}

pub(crate) fn rust_files() -> Vec<File> {
    files()
        .into_iter()
        .filter(|file| file.path.ends_with(".rs"))
        .collect()
}

/// Fails with all complaints at once.
#[track_caller]
pub(crate) fn assert_tidy(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
