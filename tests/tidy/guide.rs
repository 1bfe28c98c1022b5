//! The guide is whole: its pages are in its table of contents, its links lead somewhere, its code is compiled.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use crate::{
    documents::{code_blocks, strange_to_examples},
    files::{File, assert_tidy, files},
};

const SOURCE: &str = "guide/src/";

/// What may stand behind the three ticks. Blocks of `rust` are code of an example.
const LANGUAGES: [&str; 7] = ["rust", "text", "toml", "sh", "yaml", "json", "dockerfile"];

fn pages() -> Vec<File> {
    let pages: Vec<File> = files()
        .into_iter()
        .filter(|file| file.path.starts_with(SOURCE) && file.path.ends_with(".md"))
        .collect();
    assert!(pages.len() > 20, "the guide is not found");
    pages
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let pages = pages();
    let (summary, pages): (Vec<_>, Vec<_>) = pages
        .iter()
        .partition(|page| page.path.ends_with("/SUMMARY.md"));
    let listed: BTreeSet<String> = links(&summary[0].text)
        .into_iter()
        .map(|link| format!("{SOURCE}{link}"))
        .collect();
    let there: BTreeSet<String> = pages.iter().map(|page| page.path.clone()).collect();
    assert_eq!(listed, there);
}

#[test]
fn every_page_begins_with_its_title() {
    let complaints: Vec<String> = pages()
        .iter()
        .filter(|page| !page.path.ends_with("/SUMMARY.md"))
        .filter(|page| {
            let titles = headings(&page.text).filter(|(level, _)| *level == 1);
            !page.text.starts_with("# ") || titles.count() != 1
        })
        .map(|page| {
            format!(
                "{} does not begin with its title, or has two of them",
                page.path
            )
        })
        .collect();
    assert_tidy(&complaints);
}

/// A relative link of the guide, or of a document beside it, leads to a file; its anchor is a heading there.
#[test]
fn every_relative_link_leads_somewhere() {
    let all = files();
    let paths: BTreeMap<&str, &File> = all.iter().map(|file| (&*file.path, file)).collect();
    let folders: BTreeSet<&Path> = all
        .iter()
        .flat_map(|file| Path::new(&file.path).ancestors().skip(1))
        .collect();
    let is_document = |path: &str| {
        path.starts_with(SOURCE)
            || path.starts_with("docs/")
            || (!path.contains('/') && path.ends_with(".md"))
            || path == "benches/README.md"
    };
    let mut complaints = Vec::new();
    let mut count = 0;
    for document in all.iter().filter(|file| is_document(&file.path)) {
        for link in links(&document.text) {
            if link.contains("://") {
                continue;
            }
            count += 1;
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if target.is_empty() {
                document.path.clone()
            } else {
                resolved(&document.path, target)
            };
            let file = paths.get(&*target);
            if file.is_none() && !folders.contains(Path::new(&target)) {
                complaints.push(format!(
                    "{} links to {link}, which is not there",
                    document.path
                ));
            }
            let has_anchor = |file: &&File| {
                anchor.is_empty() || headings(&file.text).any(|(_, text)| id(text) == anchor)
            };
            if file.is_some_and(|file| !has_anchor(file)) {
                complaints.push(format!(
                    "{} links to {link}, and there is no such heading",
                    document.path
                ));
            }
        }
    }
    assert!(count > 50, "links are not found");
    assert_tidy(&complaints);
}

#[test]
fn code_of_the_guide_is_code_of_an_example() {
    let mut complaints = Vec::new();
    for page in pages() {
        let blocks = code_blocks(&page.text, |language| language == "rust");
        complaints.extend(strange_to_examples(&page.path, &blocks));
        let others = code_blocks(&page.text, |language| !LANGUAGES.contains(&language));
        complaints.extend(others.iter().map(|block| {
            format!(
                "{} has a block in none of {LANGUAGES:?}:\n{block}",
                page.path
            )
        }));
    }
    assert_tidy(&complaints);
}

/// Each option of the attributes is in the index of what one may want.
#[test]
fn every_option_is_in_the_index() {
    let all = files();
    let text = |path: &str| &all.iter().find(|file| file.path == path).unwrap().text;
    let index = text("guide/src/reference/options.md");
    let mut complaints = Vec::new();
    let mut count = 0;
    for reference in ["src/docs/test.md", "src/docs/fixture.md"] {
        let (_, table) = text(reference).split_once("# Options\n").unwrap();
        let table = table.split("\n# ").next().unwrap();
        for row in table.lines().filter(|line| line.starts_with("| `")) {
            count += 1;
            let option = row.split('`').nth(1).unwrap();
            let end = option.find(|c: char| !c.is_ascii_lowercase() && c != '_');
            let name = &option[..end.unwrap_or(option.len())];
            let is_there = ["`", " "].iter().any(|before| {
                ["`", " = ", "("]
                    .iter()
                    .any(|after| index.contains(&format!("{before}{name}{after}")))
            });
            if !is_there {
                complaints.push(format!("guide/src/reference/options.md lacks `{name}`"));
            }
        }
    }
    assert!(count > 20, "the options are not found");
    assert_tidy(&complaints);
}

/// Where the inline links of a Markdown text lead, outside of code.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let (link, after) = after.split_once(')').unwrap_or((after, ""));
            found.push(link.to_owned());
            rest = after;
        }
    }
    found
}

/// The headings of a Markdown text, with their levels.
fn headings(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().filter_map(move |line| {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        let level = line.len() - line.trim_start_matches('#').len();
        let heading = line[level..].strip_prefix(' ');
        heading
            .filter(|_| !is_code && level > 0)
            .map(|heading| (level, heading))
    })
}

/// The anchor of a heading, as mdBook and GitHub make it.
fn id(heading: &str) -> String {
    let wanted = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c.to_ascii_lowercase()),
        _ => None,
    };
    // A space beside two ticks belongs to them.
    let heading = heading.replace("`` ", "").replace(" ``", "");
    heading.trim().chars().filter_map(wanted).collect()
}

/// The path of a link in a document, from the root.
fn resolved(document: &str, link: &str) -> String {
    let folder = Path::new(document).parent().unwrap();
    let mut path = PathBuf::new();
    for part in folder.join(link).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    path.to_str().unwrap().to_owned()
}
