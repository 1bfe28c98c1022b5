//! The house style, as far as a program can check it.
//!
//! Looks at the files git knows or would know, so that nothing left over from other work counts.
#![expect(clippy::unwrap_used, reason = "a test that cannot look fails")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use proc_macro2::{TokenStream, TokenTree};

/// No file may be longer than this.
const LONGEST: usize = 400;

/// The only files in which `unsafe` may stand.
const MAY_BE_UNSAFE: [&str; 3] = [
    "green-light-core/src/context/coroutine.rs",
    "green-light-core/src/crowd.rs",
    "green-light-core/src/process.rs",
];

/// Crates that speak to a database, or their beginnings. Core must not know one.
const DATABASES: [&str; 9] = [
    "diesel",
    "libsqlite3",
    "mysql",
    "postgres",
    "rusqlite",
    "sea-",
    "sqlite",
    "sqlx",
    "tokio-postgres",
];

/// Guides with sketches of code, which need names that no example has.
const UNCHECKED_GUIDES: [&str; 1] = ["src/docs/databases.md"];

/// A file of the repository.
struct File {
    path: String,
    text: String,
}

impl File {
    /// Whether the text is what a tool made or a compiler must see exactly so.
    fn is_sample(&self) -> bool {
        self.path.starts_with("tests/ui/") || self.path.contains("/snapshots/")
    }

    fn tokens(&self) -> TokenStream {
        self.text
            .parse()
            .unwrap_or_else(|error| panic!("{} does not parse: {error}", self.path))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files that are text.
fn files() -> Vec<File> {
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
        files.iter().any(|file| file.path == "tests/tidy.rs"),
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

fn rust_files() -> Vec<File> {
    files()
        .into_iter()
        .filter(|file| file.path.ends_with(".rs"))
        .collect()
}

/// Fails with all complaints at once.
#[track_caller]
fn assert_tidy(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let complaints: Vec<String> = rust_files()
        .iter()
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(file, lines)| format!("{} has {lines} lines; split it by concept", file.path))
        .collect();
    assert_tidy(&complaints);
}

#[test]
fn every_file_says_what_it_is_for() {
    let complaints: Vec<String> = rust_files()
        .iter()
        .filter(|file| !file.is_sample() && !file.text.starts_with("//! "))
        .map(|file| format!("{} does not begin with `//!`", file.path))
        .collect();
    assert_tidy(&complaints);
}

#[test]
fn the_private_door_says_so() {
    let path = "green-light-core/src/__private.rs";
    let text = fs::read_to_string(root().join(path)).unwrap();
    assert!(
        text.starts_with("//! Not public API."),
        "{path} must begin with `//! Not public API.`"
    );
}

#[test]
fn maps_of_crates_are_only_maps() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        let name = Path::new(&file.path).file_name().unwrap();
        // Macros have their entry points at the root, and the autouse fixture of a crate stands there.
        let entry_points = ["green-light-macros/src/lib.rs", "tests/support/src/lib.rs"]
            .contains(&file.path.as_str());
        if (name == "lib.rs" || name == "mod.rs") && !entry_points && !file.is_sample() {
            let parsed = syn::parse_file(&file.text)
                .unwrap_or_else(|error| panic!("{} does not parse: {error}", file.path));
            let mut strangers = strangers(&file.path, &parsed.items);
            if file.path.starts_with("green-light-macros/") {
                // A macro's map also holds the one function that wires its steps.
                strangers.pop();
            }
            complaints.extend(strangers);
        }
    }
    assert_tidy(&complaints);
}

/// Items that have no place in a map.
fn strangers(path: &str, items: &[syn::Item]) -> Vec<String> {
    let mut complaints = Vec::new();
    for item in items {
        match item {
            syn::Item::Use(_) | syn::Item::ExternCrate(_) => {}
            syn::Item::Mod(module) => {
                let items = module.content.as_ref().map_or(&[][..], |(_, items)| items);
                complaints.extend(strangers(path, items));
            }
            // The one thing a map may say besides: not on this platform.
            syn::Item::Macro(call) if call.mac.path.is_ident("compile_error") => {}
            _ => complaints.push(format!(
                "{path} contains more than docs, modules and re-exports; give it a file of its own"
            )),
        }
    }
    complaints
}

#[test]
fn core_knows_no_database() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "green-light-core",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .args(["--format", "{p}", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.starts_with("green-light-core "), "{tree}");
    let complaints: Vec<String> = tree
        .lines()
        .filter(|line| DATABASES.iter().any(|database| line.starts_with(database)))
        .map(|line| format!("green-light-core depends on {line}"))
        .collect();
    assert_tidy(&complaints);
}

#[test]
fn unsafe_stands_in_three_files() {
    let complaints: Vec<String> = rust_files()
        .iter()
        .filter(|file| !file.is_sample() && !MAY_BE_UNSAFE.contains(&file.path.as_str()))
        .filter(|file| mentions_unsafe(file.tokens()))
        .map(|file| format!("{} contains `unsafe`", file.path))
        .collect();
    assert_tidy(&complaints);
}

fn mentions_unsafe(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "unsafe",
        TokenTree::Group(group) => mentions_unsafe(group.stream()),
        _ => false,
    })
}

#[test]
fn code_in_the_readme_is_code_of_an_example() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = code_blocks(&readme, |language| language == "rust");
    assert!(!blocks.is_empty(), "README.md shows no code");
    assert_tidy(&strange_to_examples("README.md", &blocks));
}

/// rustdoc runs the other blocks itself.
#[test]
fn code_of_the_guides_that_is_not_run_is_code_of_an_example() {
    let guides = files().into_iter().filter(|file| {
        file.path.starts_with("src/docs/") && !UNCHECKED_GUIDES.contains(&file.path.as_str())
    });
    let complaints: Vec<String> = guides
        .flat_map(|guide| {
            let blocks = code_blocks(&guide.text, |language| language == "ignore");
            strange_to_examples(&guide.path, &blocks)
        })
        .collect();
    assert_tidy(&complaints);
}

/// The blocks that stand in no example.
fn strange_to_examples(path: &str, blocks: &[String]) -> Vec<String> {
    let examples: Vec<File> = rust_files()
        .into_iter()
        .filter(|file| file.path.starts_with("examples/"))
        .collect();
    let is_strange = |block: &&String| {
        let mut texts = examples.iter().map(|example| &example.text);
        !texts.any(|text| text.contains(block.trim()))
    };
    let strange = blocks.iter().filter(is_strange);
    strange
        .map(|block| format!("{path} shows code that is in no file of examples/:\n{block}"))
        .collect()
}

/// The code blocks of a Markdown text in one language.
fn code_blocks(markdown: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        if language.split(',').any(&is_wanted) {
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

#[test]
fn every_item_of_pytest_names_a_test_that_is_there() {
    let table = fs::read_to_string(root().join("src/docs/pytest.md")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| |"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let numbers: Vec<usize> = rows.iter().filter_map(|row| row[1].parse().ok()).collect();
    assert_eq!(numbers, (1..=108).collect::<Vec<_>>());
    let mut complaints = Vec::new();
    for row in &rows {
        let (number, verdict, shown) = (row[1], row[3], row[4]);
        let word = verdict.split(':').next().unwrap();
        if !["same", "better", "not possible"].contains(&word) {
            complaints.push(format!("{number}: `{word}` is no verdict"));
        }
        let named: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        if named.is_empty() && word != "not possible" {
            complaints.push(format!("{number}: nothing shows it"));
        }
        let missing = named.iter().filter(|name| !is_there(name));
        complaints.extend(missing.map(|name| format!("{number}: there is no {name}")));
    }
    assert_tidy(&complaints);
}

/// Whether `file` or `file name` exists: a test in a file of `tests`, or a graph of conformance.
fn is_there(reference: &str) -> bool {
    let (file, name) = reference.split_once(' ').unwrap_or((reference, ""));
    let folder = if file.ends_with(".jsonl") {
        "tests/conformance"
    } else {
        "tests"
    };
    let Ok(text) = fs::read_to_string(root().join(folder).join(file)) else {
        return false;
    };
    name.is_empty()
        || text.contains(&format!("\"name\":\"{name}\""))
        || text.contains(&format!("fn {name}("))
        || text.contains(&format!("\n    {name} "))
}

#[test]
fn no_file_names_a_machine() {
    // Put together here, so that this file does not contain them itself.
    let mut names: Vec<String> = ["root", "home", "Users", "tmp"]
        .iter()
        .map(|folder| format!("/{folder}/"))
        .collect();
    names.push(root().to_str().unwrap().to_owned());
    let mut complaints = Vec::new();
    for file in files() {
        for (number, line) in file.text.lines().enumerate() {
            if names.iter().any(|name| line.contains(name.as_str())) {
                complaints.push(format!(
                    "{}:{} names a place on a machine",
                    file.path,
                    number + 1
                ));
            }
        }
    }
    assert_tidy(&complaints);
}

#[test]
fn every_claim_is_shown_by_something_that_exists() {
    let claims = fs::read_to_string(root().join("src/docs/claims.md")).unwrap();
    let (files, code) = (files(), rust_files());
    let mut complaints = Vec::new();
    let rows = claims.lines().filter(|line| line.starts_with("| "));
    for row in rows.filter(|row| !row.contains("shown by")) {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for name in shown.split('`').skip(1).step_by(2) {
            let exists = if name.contains('/') {
                files.iter().any(|file| file.path.ends_with(name))
            } else {
                let function = format!("fn {name}(");
                code.iter().any(|file| file.text.contains(&function))
            };
            if !exists {
                complaints.push(format!(
                    "src/docs/claims.md names `{name}`, which is not there"
                ));
            }
        }
    }
    assert_tidy(&complaints);
}
