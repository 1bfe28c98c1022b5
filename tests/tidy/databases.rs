//! One folder a database: no other code of the fixtures names one.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens as _;

use crate::{
    files::{File, assert_tidy, rust_files},
    imports::{imports, without_tests},
};

const SOURCE: &str = "green-light-fixtures/src/";

/// The folders that each hold all of one database.
const FOLDERS: [&str; 3] = ["mysql/", "postgres/", "sqlite/"];

/// Where databases are listed or users name them.
const MAY_NAME: [&str; 5] = [
    "backend.rs",
    "databases.rs",
    "drivers.rs",
    "lib.rs",
    "orm.rs",
];

/// How often the other files may ask for a feature. May only shrink.
const MOST_CFGS: usize = 20;

#[test]
fn only_its_folder_names_a_database() {
    let mut complaints = Vec::new();
    let files = outside_of_folders();
    for (_, file) in files.iter().filter(|(path, _)| !MAY_NAME.contains(path)) {
        let parsed = syn::parse_file(&file.text)
            .unwrap_or_else(|error| panic!("{} does not parse: {error}", file.path));
        let mut names = BTreeMap::new();
        for item in without_tests(&parsed.items) {
            find_names(item.to_token_stream(), &mut names);
        }
        if !names.is_empty() {
            let names: Vec<String> = names
                .iter()
                .map(|(name, count)| format!("{name} ({count})"))
                .collect();
            complaints.push(format!(
                "{} names a database: {}\n  help: what differs between databases stands in their folders; \
                 the rest asks for it through the traits of `driver/`",
                file.path,
                names.join(", ")
            ));
        }
    }
    assert_tidy(&complaints);
}

#[test]
fn few_files_ask_for_a_feature() {
    let counts: Vec<(usize, &str)> = outside_of_folders()
        .iter()
        .map(|(path, file)| (cfgs(file.tokens()), *path))
        .filter(|(count, _)| *count > 0)
        .collect();
    let all: usize = counts.iter().map(|(count, _)| count).sum();
    let list: Vec<String> = counts
        .iter()
        .map(|(count, path)| format!("  {count:>3} {path}"))
        .collect();
    println!("{all} times `cfg(feature ..)` outside of the folders");
    assert!(
        all <= MOST_CFGS,
        "{all} times `cfg(feature ..)` stands outside of the folders {FOLDERS:?} of {SOURCE}, more than \
         {MOST_CFGS}\n  help: let the folder of a database register what it has, and ask that\n{}",
        list.join("\n")
    );
}

/// The files of the fixtures that belong to no database, and are not there for tests alone.
fn outside_of_folders() -> Vec<(&'static str, &'static File)> {
    // Kept for the whole process: their paths are borrowed all over.
    let files: &'static [File] = Box::leak(rust_files().into_boxed_slice());
    let files: Vec<(&str, &File)> = files
        .iter()
        .filter_map(|file| Some((file.path.strip_prefix(SOURCE)?, file)))
        .collect();
    let imports = imports(files.iter().map(|(path, file)| (*path, file.text.as_str())));
    files
        .into_iter()
        .filter(|(path, _)| imports.contains_key(*path))
        .filter(|(path, _)| !FOLDERS.iter().any(|folder| path.starts_with(folder)))
        .collect()
}

/// Counts the words and texts that name a database.
fn find_names(tokens: TokenStream, names: &mut BTreeMap<String, usize>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            // Comments for the documentation.
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                tokens.next_if(|next| {
                    matches!(next, TokenTree::Group(group)
                        if group.delimiter() == Delimiter::Bracket && group.stream().to_string().starts_with("doc"))
                });
            }
            TokenTree::Group(group) => find_names(group.stream(), names),
            TokenTree::Ident(_) | TokenTree::Literal(_) if names_a_database(&token.to_string()) => {
                let first_line = token
                    .to_string()
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                *names.entry(first_line).or_default() += 1;
            }
            _ => {}
        }
    }
}

fn names_a_database(word: &str) -> bool {
    let lower = word.to_lowercase();
    word.starts_with("Pg")
        || ["maria", "mysql", "pg_", "postgres", "sqlite"]
            .iter()
            .any(|name| lower.contains(name))
}

/// How many `cfg`s and `cfg_attr`s ask for a feature.
fn cfgs(tokens: TokenStream) -> usize {
    let mut is_cfg = false;
    let mut count = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(word) => is_cfg = word == "cfg" || word == "cfg_attr",
            // `cfg!(..)`.
            TokenTree::Punct(mark) if mark.as_char() == '!' => {}
            TokenTree::Group(group) if is_cfg => {
                count += usize::from(mentions(group.stream(), "feature"));
                is_cfg = false;
            }
            TokenTree::Group(group) => count += cfgs(group.stream()),
            _ => is_cfg = false,
        }
    }
    count
}

fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}

#[test]
fn names_and_features_are_found() {
    let code: TokenStream = r#"
        /// On PostgreSQL.
        #[cfg(all(unix, feature = "sea-orm"))]
        fn open(url: &str) { if cfg!(feature = "mysql") { say("no MariaDB"); sqlx::PgPool::connect(url) } }
    "#
    .parse()
    .unwrap();
    let mut names = BTreeMap::new();
    find_names(code.clone(), &mut names);
    let names: Vec<&str> = names.keys().map(String::as_str).collect();
    assert_eq!(names, ["\"mysql\"", "\"no MariaDB\"", "PgPool"]);
    assert_eq!(cfgs(code), 2);
}
