//! Layers without circles: a file imports from its own folder and from the layers below.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write as _,
};

use crate::{
    files::{assert_tidy, rust_files},
    imports::{Imports, imports},
};

/// The layers of a crate.
struct Layers {
    /// The crate.
    name: &'static str,
    /// One layer a line, the lowest first: the files and folders of `src`. Those of one line do not import each
    /// other.
    order: &'static str,
}

const LAYERS: [Layers; 3] = [
    Layers {
        name: "green-light-core",
        order: "
            mutex
            env os
            context runtime
            config
            report
            run_scope
            tasks
            blocking crowd
            fixture
            messages
            test
            __private
            lib
        ",
    },
    Layers {
        name: "green-light-macros",
        order: "
            elsewhere function source span
            crate_path diagnostic
            attr signature stacked
            params setting
            call missing options recovery
            fixture test uses
            lib
        ",
    },
    Layers {
        name: "green-light-fixtures",
        order: "
            backoff databases digest failpoint limits test_id url versions
            error
            backend env
            files isolation
            sql
            database_pool
            orm
            schema
            driver
            server
            local_server
            mysql postgres sqlite
            drivers
            sandbox
            database
            session
            engine
            checkup fixtures
            lib
        ",
    },
];

/// An import of one file from another.
type Arrow<'a> = (&'a str, &'a str);

#[test]
fn files_import_from_below_and_in_no_circle() {
    let files = rust_files();
    let mut complaints = Vec::new();
    for layers in LAYERS {
        let source = format!("{}/src/", layers.name);
        let files = files.iter().filter_map(|file| {
            let below = file.path.strip_prefix(&source)?;
            Some((below, file.text.as_str()))
        });
        complaints.extend(check(&layers, files));
    }
    assert_tidy(&complaints);
}

/// How many circles are shown: with the shortest ones many others go.
const MOST_CIRCLES: usize = 10;

/// What is wrong in a crate.
fn check<'a>(layers: &Layers, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let imports = imports(files);
    let places: BTreeMap<&str, usize> = layers
        .order
        .lines()
        .enumerate()
        .flat_map(|(place, names)| names.split_whitespace().map(move |name| (name, place)))
        .collect();
    let mut complaints = Vec::new();
    let known: BTreeSet<&str> = imports.keys().map(|file| part(file)).collect();
    for name in &known {
        if !places.contains_key(name) {
            complaints.push(format!(
                "{}/src/{name} is in no layer: add it to `LAYERS` in tests/tidy/layers.rs",
                layers.name
            ));
        }
    }
    for name in places.keys().filter(|name| !known.contains(*name)) {
        complaints.push(format!(
            "`LAYERS` in tests/tidy/layers.rs names `{name}`, which is not in {}/src",
            layers.name
        ));
    }

    let upward = |(from, to): Arrow<'_>| {
        let (from, to) = (part(from), part(to));
        from != to && places.get(from) <= places.get(to)
    };
    let upward_arrows = arrows(&imports).filter(|arrow| upward(*arrow));
    complaints.extend(upward_arrows.map(|arrow| upward_complaint(layers, &imports, arrow)));
    // Circles that an upward import closes are mended with it.
    let graph = graph(arrows(&imports).filter(|arrow| !upward(*arrow)));
    let mut circles = BTreeSet::new();
    for (from, to) in arrows(&imports).filter(|arrow| !upward(*arrow)) {
        if let Some(mut circle) = path(&graph, to, from) {
            // A circle is found from each of its files.
            let first = (0..circle.len()).min_by_key(|at| circle[*at]).unwrap_or(0);
            circle.rotate_left(first);
            circles.insert((circle.len(), circle));
        }
    }
    let shown = circles.iter().take(MOST_CIRCLES);
    complaints.extend(shown.map(|(_, circle)| circle_complaint(layers, &imports, circle)));
    if let more @ 1.. = circles.len().saturating_sub(MOST_CIRCLES) {
        complaints.push(format!("{more} longer circles are not shown"));
    }
    complaints
}

/// The file or folder of `src` that a file belongs to, as the layers name it.
fn part(file: &str) -> &str {
    let part = file.split('/').next().unwrap_or(file);
    part.strip_suffix(".rs").unwrap_or(part)
}

fn arrows(imports: &Imports) -> impl Iterator<Item = Arrow<'_>> {
    imports
        .iter()
        .flat_map(|(from, targets)| targets.keys().map(|to| (from.as_str(), to.as_str())))
}

/// The files that each file imports from.
type Graph<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The shortest way from one file to another, both included.
fn path<'a>(graph: &Graph<'a>, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let mut before = BTreeMap::from([(from, None)]);
    let mut open = VecDeque::from([from]);
    while let Some(file) = open.pop_front() {
        if file == to {
            let mut path: Vec<&str> =
                std::iter::successors(Some(file), |file| before.get(file).copied().flatten())
                    .collect();
            path.reverse();
            return Some(path);
        }
        for next in graph.get(file).into_iter().flatten() {
            if !before.contains_key(next) {
                before.insert(next, Some(file));
                open.push_back(next);
            }
        }
    }
    None
}

fn graph<'a>(arrows: impl Iterator<Item = Arrow<'a>>) -> Graph<'a> {
    let mut graph = Graph::new();
    for (from, to) in arrows {
        graph.entry(from).or_default().insert(to);
    }
    graph
}

fn upward_complaint(layers: &Layers, imports: &Imports, (from, to): Arrow<'_>) -> String {
    let (lower, upper) = (part(from), part(to));
    format!(
        "{}/src/{from} imports {} from {to}, but `{lower}` is not above `{upper}`\n  \
         help: move what both need into a file at or below `{lower}`, move this code up, or pass a value or a \
         closure in; the order of layers is in tests/tidy/layers.rs",
        layers.name,
        names(imports, (from, to)),
    )
}

fn circle_complaint(layers: &Layers, imports: &Imports, circle: &[&str]) -> String {
    let mut text = format!(
        "{} files of {} import each other in a circle:",
        circle.len(),
        layers.name
    );
    let next = circle.iter().cycle().skip(1);
    for (from, to) in circle.iter().zip(next) {
        let names = names(imports, (from, to));
        write!(text, "\n  {from} imports {names} from {to}").unwrap();
    }
    text.push_str(
        "\n  help: move what one of these imports names into a file of its own, which imports none of them; \
         or pass it as a value or a closure; or make one file of two that are one concept",
    );
    text
}

/// The names of an import, as a sentence lists them.
fn names(imports: &Imports, (from, to): Arrow<'_>) -> String {
    let names = imports.get(from).and_then(|targets| targets.get(to));
    let names: Vec<String> = names
        .into_iter()
        .flatten()
        .map(|name| format!("`{name}`"))
        .collect();
    names.join(", ")
}

fn small(order: &'static str) -> Layers {
    Layers {
        name: "small",
        order,
    }
}

#[test]
fn a_circle_through_a_reexport_is_found() {
    let files = [
        ("lib.rs", "mod pool; mod url;"),
        (
            "pool/mod.rs",
            "mod lease; mod slot; pub(crate) use slot::Slot;",
        ),
        (
            "pool/lease.rs",
            "use crate::pool::Slot; use crate::url; pub(crate) struct Lease(Slot, url::Url);",
        ),
        (
            "pool/slot.rs",
            "pub(crate) struct Slot; impl Slot { fn free(&self) { trace!(name = super::lease::Lease::NAME); } }",
        ),
        (
            "url.rs",
            "pub(crate) struct Url; #[cfg(test)] mod tests { use crate::pool::Slot; }",
        ),
    ];
    assert_eq!(
        check(&small("url\npool\nlib"), files),
        ["2 files of small import each other in a circle:\n  \
          pool/lease.rs imports `Slot` from pool/slot.rs\n  \
          pool/slot.rs imports `Lease` from pool/lease.rs\n  \
          help: move what one of these imports names into a file of its own, which imports none of them; \
          or pass it as a value or a closure; or make one file of two that are one concept"]
    );
}

#[test]
fn an_import_from_a_layer_above_is_found() {
    let files = [
        ("lib.rs", "mod pool; mod session; mod url;"),
        (
            "pool.rs",
            "use crate::{session::{self, Session}, url::*}; fn url() -> Url { session::url() }",
        ),
        (
            "session.rs",
            "pub(crate) struct Session; pub(crate) fn url() -> crate::url::Url { todo!() }",
        ),
        ("url.rs", "pub(crate) struct Url;"),
    ];
    assert_eq!(
        check(&small("url\npool session\nlib"), files),
        [
            "small/src/pool.rs imports `Session`, `session`, `url` from session.rs, but `pool` is not above \
          `session`\n  help: move what both need into a file at or below `pool`, move this code up, or pass a \
          value or a closure in; the order of layers is in tests/tidy/layers.rs"
        ]
    );
    assert_eq!(
        check(&small("url\nsession\npool\nlib\ngone"), files),
        ["`LAYERS` in tests/tidy/layers.rs names `gone`, which is not in small/src"]
    );
}
