//! Documents show code and name tests: all of it has to be there.

use std::{collections::BTreeSet, fs};

use proc_macro2::{TokenStream, TokenTree};

use crate::files::{File, assert_tidy, files, root, rust_files};

/// Guides with sketches of code, which need names that no example has.
const UNCHECKED_GUIDES: [&str; 1] = ["src/docs/databases.md"];

#[test]
fn code_in_the_readme_is_code_of_an_example() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = code_blocks(&readme, |language| language == "rust");
    assert!(!blocks.is_empty(), "README.md shows no code");
    assert_tidy(&strange_to_examples("README.md", &blocks));
}

/// What the README shows of a run is printed by the tests that it shows.
#[test]
fn tests_in_the_output_of_the_readme_are_shown_in_it() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let code = code_blocks(&readme, |language| language == "rust").join("\n");
    let output = code_blocks(&readme, |language| language == "text").join("\n");
    let ran: Vec<&str> = output
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok"))
        .collect();
    assert!(!ran.is_empty(), "README.md shows no output of `cargo test`");
    assert!(
        output.contains(&format!("running {} tests\n", ran.len()))
            && output.contains(&format!("test result: ok. {} passed; ", ran.len())),
        "README.md shows another number of tests:\n{output}"
    );
    let missing = ran
        .iter()
        .filter(|name| !code.contains(&format!("async fn {name}(")));
    let complaints: Vec<String> = missing
        .map(|name| format!("README.md has the output of `{name}`, and not the test"))
        .collect();
    assert_tidy(&complaints);
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

/// Whether a text has the block, as it is or inside of modules.
fn stands_in(text: &str, block: &str) -> bool {
    let block = block.trim_matches('\n');
    ["", "    ", "        "].iter().any(|indent| {
        let lines = block.lines().map(|line| match line {
            "" => String::new(),
            line => format!("{indent}{line}"),
        });
        let block: Vec<String> = lines.collect();
        text.contains(&block.join("\n"))
    })
}

/// The blocks that stand in no example.
pub(crate) fn strange_to_examples(path: &str, blocks: &[String]) -> Vec<String> {
    let examples: Vec<File> = rust_files()
        .into_iter()
        .filter(|file| {
            ["examples/", "tests/strangers/", "tests/support/"]
                .iter()
                .any(|directory| file.path.starts_with(directory))
        })
        .collect();
    let is_strange = |block: &&String| {
        let mut texts = examples.iter().map(|example| &example.text);
        !texts.any(|text| stands_in(text, block))
    };
    let strange = blocks.iter().filter(is_strange);
    strange
        .map(|block| {
            format!(
                "{path} shows code that is in no file of examples/, tests/strangers/ or tests/support/:\n{block}"
            )
        })
        .collect()
}

/// The code blocks of a Markdown text in one language.
pub(crate) fn code_blocks(markdown: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
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

/// Tables whose last column names tests, or files. A name of less than three words is something else.
#[test]
fn what_a_table_says_is_shown_by_something_that_exists() {
    let (files, code) = (files(), rust_files());
    let mut complaints = Vec::new();
    for path in [
        "src/docs/claims.md",
        "src/docs/traps.md",
        "src/docs/waits.md",
        "docs/context-contract.md",
    ] {
        let table = fs::read_to_string(root().join(path)).unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| "));
        for row in rows.filter(|row| !row.contains("shown by")) {
            let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
            let names: Vec<_> = shown.split('`').skip(1).step_by(2).collect();
            if names.is_empty() {
                complaints.push(format!("{path}: nothing shows `{row}`"));
            }
            let is_test = |name: &&str| name.contains('/') || name.split('_').count() > 2;
            for name in names.into_iter().filter(is_test) {
                let exists = if name.contains('/') {
                    files.iter().any(|file| file.path.ends_with(name))
                } else {
                    let function = format!("fn {name}(");
                    code.iter().any(|file| file.text.contains(&function))
                };
                if !exists {
                    complaints.push(format!("{path} names `{name}`, which is not there"));
                }
            }
        }
    }
    assert_tidy(&complaints);
}

/// The guide, the names that are told from typos, and what is read anywhere: all the same.
#[test]
fn every_variable_is_in_the_guide_and_known_by_name() {
    let guide = fs::read_to_string(root().join("guide/src/reference/variables.md")).unwrap();
    let rows: String = guide
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split(" | ").next().unwrap())
        .collect();
    let code = rust_files();
    let (known, others): (Vec<_>, Vec<_>) = code
        .iter()
        .filter(|file| file.path.contains("/src/") && file.path.starts_with("green-light-"))
        .filter(|file| !file.path.contains("/tests"))
        .partition(|file| file.path.ends_with("core/src/env.rs"));
    let known = variables(known[0].text.split("mod tests").next().unwrap());
    let read = others.iter().flat_map(|file| {
        let code = file.text.split("mod tests").next().unwrap();
        code.split('"').skip(1).step_by(2).flat_map(variables)
    });
    // By this one a test binary asks itself for the list of its tests.
    let read = read.filter(|name| name != "GREEN_LIGHT_LISTING");
    assert_eq!(read.collect::<BTreeSet<_>>(), known);
    assert_eq!(variables(&rows), known);
}

fn variables(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, prefix) in text.match_indices("GREEN_LIGHT_") {
        let rest = &text[at + prefix.len()..];
        let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_');
        let rest = &rest[..end.unwrap_or(rest.len())];
        if !rest.is_empty() {
            found.insert(format!("{prefix}{rest}"));
        }
    }
    found
}

/// A user who searches the guide for a message finds it.
#[test]
fn each_message_that_is_explained_is_in_the_guide() {
    let pages = files()
        .into_iter()
        .filter(|file| file.path.starts_with("guide/src/diagnostics/"));
    let guide: String = pages.map(|page| page.text).collect();
    let explained = explained();
    let complaints: Vec<String> = explained
        .iter()
        .filter(|words| !words.iter().any(|words| is_in_a_line(&guide, words)))
        .map(|words| format!("guide/src/diagnostics lacks a message of {words:?}"))
        .collect();
    assert_tidy(&complaints);
}

/// The texts by which each message that is explained is known.
fn explained() -> Vec<Vec<String>> {
    let files = rust_files().into_iter().filter(|file| {
        file.path
            .starts_with("green-light-core/src/report/explain/")
    });
    let explained: Vec<_> = files.flat_map(|file| known_words(file.tokens())).collect();
    assert!(
        explained.len() > 20,
        "the messages are written in another way now"
    );
    explained
}

/// What the guide has as a message is explained when it is printed, or green-light prints it itself.
#[test]
fn each_message_in_the_guide_is_explained_or_printed() {
    let explained: Vec<String> = explained().into_iter().flatten().collect();
    let code = files().into_iter().filter(|file| {
        let is_code = file.path.starts_with("green-light-") && file.path.ends_with(".rs");
        is_code || file.path.starts_with("tests/output/")
    });
    let printed: Vec<String> = code
        .flat_map(|file| {
            let text = file.text.replace('`', "");
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let mut complaints = Vec::new();
    let mut count = 0;
    for page in ["pools", "refused", "runtime", "servers", "tls"] {
        let path = format!("guide/src/diagnostics/{page}.md");
        let text = fs::read_to_string(root().join(&path)).unwrap();
        for message in text.lines().filter_map(|line| line.strip_prefix("## ")) {
            count += 1;
            let message = message.replace('`', "");
            let is_known = |words: &String| is_in_a_line(&message, words.replace('`', "").trim());
            if !explained.iter().any(is_known) && !printed.iter().any(|line| has(line, &message)) {
                complaints.push(format!("{path}: nothing prints or explains `{message}`"));
            }
        }
    }
    assert!(count > 50, "the messages are not found");
    assert_tidy(&complaints);
}

/// The texts of each `words: &[..]`.
fn known_words(tokens: TokenStream) -> Vec<Vec<String>> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) if at >= 3 && tokens[at - 3].to_string() == "words" => {
                let texts = group.stream().into_iter().filter_map(|token| {
                    let text: syn::LitStr = syn::parse_str(&token.to_string()).ok()?;
                    Some(text.value())
                });
                let texts: Vec<String> = texts.collect();
                found.extend((!texts.is_empty()).then_some(texts));
            }
            TokenTree::Group(group) => found.extend(known_words(group.stream())),
            _ => {}
        }
    }
    found
}

/// Whether a line has `words`, in which ` .. ` stands for any text.
fn is_in_a_line(text: &str, words: &str) -> bool {
    text.lines().any(|line| {
        let mut rest = line;
        words.split(" .. ").all(|part| {
            let after = rest.split_once(part).map(|(_, after)| after);
            rest = after.unwrap_or_default();
            after.is_some()
        })
    })
}

/// What the page about errors of the compiler says that rustc says, it says: in a case of `tests/ui`.
///
/// The texts are headings, and the items below `Also:`; `..` stands for what differs.
#[test]
fn texts_to_search_for_are_texts_of_rustc() {
    let page = root().join("guide/src/diagnostics/compiler.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("## Tests and fixtures\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let printed: Vec<String> = files()
        .into_iter()
        .filter(|file| file.path.starts_with("tests/ui/") && file.path.ends_with(".stderr"))
        .flat_map(|file| {
            let lines = file.text.lines().map(|line| line.replace('`', ""));
            lines.collect::<Vec<_>>()
        })
        .collect();
    let texts: Vec<String> = messages(section).collect();
    assert!(texts.len() > 15, "the messages are not found");
    let complaints: Vec<String> = texts
        .iter()
        .filter(|text| !printed.iter().any(|line| has(line, text)))
        .map(|text| format!("no case of tests/ui prints `{text}`"))
        .collect();
    assert_tidy(&complaints);
}

/// What the page about fixtures and options says that green-light prints, it prints: in a run of `tests/output`.
#[test]
fn texts_to_search_for_are_texts_of_green_light() {
    let page = root().join("guide/src/diagnostics/fixtures.md");
    let page = fs::read_to_string(page).unwrap();
    let printed: Vec<String> = files()
        .into_iter()
        .filter(|file| file.path.starts_with("tests/output/"))
        .flat_map(|file| {
            let lines = file.text.lines().map(|line| line.replace('`', ""));
            lines.collect::<Vec<_>>()
        })
        .collect();
    let texts: Vec<String> = messages(&page).collect();
    assert!(texts.len() > 15, "the messages are not found");
    let complaints: Vec<String> = texts
        .iter()
        .filter(|text| !printed.iter().any(|line| has(line, text)))
        .map(|text| format!("no run of tests/output prints `{text}`"))
        .collect();
    assert_tidy(&complaints);
}

/// The messages of a page about diagnostics: headings and items that are code alone, without the ticks.
fn messages(page: &str) -> impl Iterator<Item = String> {
    let lines = page.lines().filter_map(|line| {
        let text = line
            .strip_prefix("### ")
            .or_else(|| line.strip_prefix("## "))
            .or_else(|| line.strip_prefix("* "))?;
        (text.starts_with('`') && text.ends_with('`')).then(|| text.replace('`', ""))
    });
    lines.map(|text| text.trim().to_owned())
}

/// Whether the pieces between `..` stand in a line, in their order.
fn has(line: &str, text: &str) -> bool {
    let mut rest = line;
    text.split("..").map(str::trim).all(|piece| {
        let found = rest.find(piece);
        if let Some(at) = found {
            rest = &rest[at + piece.len()..];
        }
        found.is_some()
    })
}
