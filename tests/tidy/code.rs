//! What code must not do, wherever it stands.

use std::process::Command;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;

use crate::files::{assert_tidy, root, rust_files};

/// The only files in which `unsafe` may stand.
const MAY_BE_UNSAFE: [&str; 12] = [
    "green-light-core/src/context/coroutine.rs",
    "green-light-core/src/context/landing_pads.rs",
    "green-light-core/src/context/switch.rs",
    "green-light-core/src/crowd/handle.rs",
    "green-light-core/src/crowd/workers.rs",
    "green-light-core/src/os.rs",
    "green-light-fixtures/src/driver/pool_handles.rs",
    "green-light-fixtures/src/sqlite/process_wide.rs",
    "green-light-fixtures/src/sqlite/restore.rs",
    "green-light-fixtures/src/sqlite/watch.rs",
    "green-light-fixtures/tests/it/observe/sqlite.rs",
    "green-light-fixtures/tests/it/sqlite_connection.rs",
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
fn unsafe_stands_in_few_files() {
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
fn no_crate_allows_what_is_unused() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        let parsed = file.path.ends_with("/src/lib.rs") && !file.path.starts_with("tests/");
        let parsed = parsed.then(|| syn::parse_file(&file.text).unwrap());
        let attributes = parsed.iter().flat_map(|parsed| &parsed.attrs);
        for attribute in attributes.filter(|attribute| !attribute.path().is_ident("doc")) {
            let text = attribute.to_token_stream().to_string();
            for lint in ["dead_code", "unused", "warnings"] {
                if text.contains("allow") && text.contains(lint) {
                    complaints.push(format!("{} allows `{lint}` in the whole crate", file.path));
                }
            }
        }
    }
    assert_tidy(&complaints);
}
