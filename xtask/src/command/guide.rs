//! `cargo xtask guide`: the book in `guide/`, built, and its links followed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::list::Command;
use crate::{step::Step, target, tool};

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "guide",
    about: "builds the guide, and follows its links",
    details: "\
Installs mdbook by cargo if it is missing, and builds the book of guide/ into target/guide, and the reference into
target/doc. Then it follows each link

  of the book, to its own pages, to the reference on docs.rs, and to files of the repository on GitHub
  of the reference, to the book

and names those that lead nowhere. It asks no other machine.",
    run,
};

/// Where the book is published, as the reference links to it.
const BOOK: &str = "https://green-light-rs.github.io/green-light/";
/// Where the reference is published, as the book links to it.
const REFERENCE: &str = "https://docs.rs/green-light/latest/";
/// The repository, whose files have `blob/main/` before their path there, and folders `tree/main/`.
const REPOSITORY: &str = "https://github.com/green-light-rs/green-light/";

fn run(arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!(
            "unexpected argument `{argument}`\n  help: `cargo xtask guide` takes none"
        ));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("xtask stands in no workspace")?;
    tool::mdbook()?;
    let (book, reference) = (
        target::directory().join("guide"),
        target::directory().join("doc"),
    );
    Step::new("mdbook")
        .arg("build")
        .arg(root.join("guide"))
        .arg("--dest-dir")
        .arg(&book)
        .run()?;
    Step::cargo([
        "doc",
        "--locked",
        "--no-deps",
        "--all-features",
        "-pgreen-light",
    ])
    .run()?;
    let places = Places {
        book: Pages::read(&book)?,
        reference: Pages::read(&reference)?,
        root,
    };
    let complaints = places.complaints();
    if complaints.is_empty() {
        println!(
            "\nthe guide is in {}",
            book.join("introduction.html").display()
        );
        return Ok(());
    }
    Err(format!(
        "links that lead nowhere:\n  {}",
        complaints.join("\n  ")
    ))
}

/// All that links may lead to.
struct Places<'a> {
    book: Pages,
    reference: Pages,
    root: &'a Path,
}

impl Places<'_> {
    fn complaints(&self) -> Vec<String> {
        let mut complaints = BTreeSet::new();
        for (path, page) in &self.book.pages {
            // All pages once more, with links that lead into themselves.
            if path == Path::new("print.html") {
                continue;
            }
            for link in &page.links {
                let leads = if let Some(item) = link.strip_prefix(REFERENCE) {
                    self.reference.has(Path::new(""), item)
                } else if let Some(file) = link.strip_prefix(REPOSITORY) {
                    self.is_in_the_repository(file)
                } else {
                    is_elsewhere(link) || self.book.has(path, link)
                };
                if !leads {
                    complaints.insert(format!("{link} of {} of the guide", path.display()));
                }
            }
        }
        for (path, page) in &self.reference.pages {
            let links = page.links.iter().filter_map(|link| link.strip_prefix(BOOK));
            for link in links {
                let link = if link.is_empty() { "index.html" } else { link };
                if !self.book.has(Path::new(""), link) {
                    complaints.insert(format!("{BOOK}{link} of {}", path.display()));
                }
            }
        }
        complaints.into_iter().collect()
    }

    fn is_in_the_repository(&self, link: &str) -> bool {
        let path = ["blob/main/", "tree/main/", "edit/main/"]
            .iter()
            .find_map(|prefix| link.strip_prefix(prefix));
        path.is_none_or(|path| self.root.join(path).exists())
    }
}

/// Whether a link leads to another site, or is none.
fn is_elsewhere(link: &str) -> bool {
    link.contains("://") || link.starts_with("mailto:") || link.starts_with("javascript:")
}

/// The HTML files below a directory.
struct Pages {
    directory: PathBuf,
    pages: BTreeMap<PathBuf, Page>,
}

struct Page {
    links: Vec<String>,
    ids: BTreeSet<String>,
}

impl Pages {
    fn read(directory: &Path) -> Result<Self, String> {
        let mut pages = BTreeMap::new();
        read_into(&mut pages, directory, Path::new(""))
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        Ok(Self {
            directory: directory.to_owned(),
            pages,
        })
    }

    /// Whether a link of a page leads to a file here, and its anchor to an element there.
    fn has(&self, from: &Path, link: &str) -> bool {
        let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = target.split('?').next().unwrap_or_default();
        let mut path = if target.is_empty() {
            from.to_owned()
        } else {
            resolved(from.parent().unwrap_or(Path::new("")), target)
        };
        if self.directory.join(&path).is_dir() {
            path.push("index.html");
        }
        match self.pages.get(&path) {
            Some(page) => anchor.is_empty() || page.ids.contains(anchor),
            None => anchor.is_empty() && self.directory.join(&path).is_file(),
        }
    }
}

fn read_into(
    pages: &mut BTreeMap<PathBuf, Page>,
    directory: &Path,
    below: &Path,
) -> std::io::Result<()> {
    for entry in fs::read_dir(directory.join(below))? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            read_into(pages, directory, &path)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "html")
        {
            let text = fs::read_to_string(directory.join(&path))?;
            let links = attributes(&text, "href");
            let ids = attributes(&text, "id").into_iter().collect();
            pages.insert(path, Page { links, ids });
        }
    }
    Ok(())
}

/// The values of an attribute in HTML as mdbook and rustdoc write it.
fn attributes(html: &str, name: &str) -> Vec<String> {
    let begin = format!(" {name}=\"");
    let values = html.split(&begin).skip(1).filter_map(|rest| {
        let (value, _) = rest.split_once('"')?;
        Some(value.replace("&amp;", "&").replace("&#39;", "'"))
    });
    values.collect()
}

fn resolved(folder: &Path, link: &str) -> PathBuf {
    let mut path = folder.to_owned();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        Page {
            links: attributes(html, "href"),
            ids: attributes(html, "id").into_iter().collect(),
        }
    }

    fn places<'a>(book: &[(&str, &str)], reference: &[(&str, &str)], root: &'a Path) -> Places<'a> {
        let pages = |files: &[(&str, &str)]| Pages {
            directory: PathBuf::from("nowhere"),
            pages: files
                .iter()
                .map(|(path, html)| (PathBuf::from(path), page(html)))
                .collect(),
        };
        Places {
            book: pages(book),
            reference: pages(reference),
            root,
        }
    }

    #[test]
    fn a_link_leads_to_a_page_and_its_anchor_to_an_element() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let right = r##"<a href="../b.html#there">b</a> <a href="#here" id="here">a</a>
            <a href="https://example.org/x">x</a>
            <a href="https://docs.rs/green-light/latest/green_light/index.html#x">x</a>
            <a href="https://github.com/green-light-rs/green-light/blob/main/Cargo.toml">x</a>"##;
        let other = r#"<h2 id="there">b</h2>"#;
        let reference = r#"<h2 id="x">x</h2> <a href="https://green-light-rs.github.io/green-light/b.html">b</a>"#;
        let places = places(
            &[("a/a.html", right), ("b.html", other)],
            &[("green_light/index.html", reference)],
            root,
        );
        assert_eq!(places.complaints(), Vec::<String>::new());
    }

    #[test]
    fn each_link_that_leads_nowhere_is_named() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let wrong = [
            "b.html",
            "a.html#there",
            "#there",
            "https://docs.rs/green-light/latest/green_light/fn.none.html",
            "https://github.com/green-light-rs/green-light/blob/main/none.rs",
        ];
        let html: String = wrong
            .iter()
            .map(|link| format!(r#"<a href="{link}">x</a>"#))
            .collect();
        let reference = format!(r#"<a href="{BOOK}none.html">x</a>"#);
        let places = places(&[("a.html", &html)], &[("x.html", &reference)], root);
        let complaints = places.complaints();
        assert_eq!(complaints.len(), wrong.len() + 1, "{complaints:?}");
        for link in wrong {
            let named = |complaint: &&String| complaint.starts_with(&format!("{link} of "));
            assert_eq!(complaints.iter().filter(named).count(), 1, "{link}");
        }
    }

    #[test]
    fn arguments_are_refused() {
        assert!(
            run(&["--open".to_owned()])
                .unwrap_err()
                .contains("`--open`")
        );
    }
}
