//! Counts of outcomes, the leaks in words, and tables of the documentation.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use green_light_fixtures::{Backend, Isolation};

/// How long a value is that is shown.
const LONGEST_VALUE: usize = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// The next test saw nothing of it.
    Clean,
    /// The same, and the test that did it was reported.
    Told,
    /// The next test saw what it may see.
    Allowed,
    /// The next test saw something else.
    Leak,
}

const OUTCOMES: [(Outcome, &str); 4] = [
    (Outcome::Clean, "clean"),
    (Outcome::Told, "told"),
    (Outcome::Allowed, "allowed"),
    (Outcome::Leak, "LEAK"),
];

/// How often each outcome was seen.
#[derive(Debug, Default)]
pub(super) struct Table {
    counts: BTreeMap<(&'static str, &'static str), BTreeMap<Outcome, usize>>,
    leaks: Vec<String>,
}

impl Table {
    pub(super) fn note(&mut self, isolation: Isolation, way: &'static str, outcome: Outcome) {
        let counts = self.counts.entry((isolation.name(), way)).or_default();
        *counts.entry(outcome).or_default() += 1;
    }

    pub(super) fn leak(
        &mut self,
        isolation: Isolation,
        way: &str,
        text: &str,
        differing: &BTreeMap<String, (String, String)>,
    ) {
        let mut leak = format!("{}, {way}: `{text}`", isolation.name());
        for (key, (before, after)) in differing {
            let (before, after) = (shortened(before), shortened(after));
            let _ = write!(leak, "\n    {key}: {before} -> {after}");
        }
        self.leaks.push(leak);
    }

    pub(super) fn assert_tight(&self, backend: Backend) {
        let leaks = &self.leaks;
        assert!(
            leaks.is_empty(),
            "{backend}: {} texts reach the next test:\n  {}",
            leaks.len(),
            leaks.join("\n  ")
        );
        assert!(!self.counts.is_empty(), "{backend}: nothing was sent");
    }
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(LONGEST_VALUE) {
        None => value.to_owned(),
        Some((end, _)) => format!("{}..", &value[..end]),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:12} {:24}", "isolation", "way")?;
        for (_, name) in OUTCOMES {
            write!(f, "{name:>9}")?;
        }
        writeln!(f)?;
        let mut sums = BTreeMap::new();
        for ((isolation, way), counts) in &self.counts {
            write!(f, "  {isolation:12} {way:24}")?;
            for (outcome, _) in OUTCOMES {
                let count = counts.get(&outcome).copied().unwrap_or_default();
                *sums.entry(outcome).or_insert(0) += count;
                write!(f, "{count:>9}")?;
            }
            writeln!(f)?;
        }
        write!(f, "  {:12} {:24}", "all", "")?;
        for (_, sum) in sums {
            write!(f, "{sum:>9}")?;
        }
        writeln!(f)
    }
}

/// The cells of the first table under the heading `title`, without its head.
pub(super) fn rows(documentation: &str, title: &str) -> Vec<Vec<String>> {
    let heading = format!("# {title}");
    documentation
        .lines()
        .skip_while(|line| line.trim() != heading)
        .skip(1)
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| {
            let cells = line.trim().trim_matches('|').split(" | ");
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}
