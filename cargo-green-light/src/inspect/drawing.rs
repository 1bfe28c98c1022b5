//! Which fixture gets which other ones, over all planned tests, as text and as Mermaid.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::inspect::planned::PlannedTest;
use crate::print::count;

/// What is drawn: fixtures, and tests where they are asked for. By labels.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    pub(crate) nodes: BTreeMap<String, Node>,
}

#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Without its module.
    pub(crate) name: String,
    /// Of a fixture, or `tests`.
    pub(crate) scope: String,
    /// The labels of those that it gets.
    pub(crate) needs: BTreeSet<String>,
    /// The tests that have it.
    pub(crate) tests: usize,
}

impl Node {
    /// How many tests have it, in words.
    pub(crate) fn about(&self) -> String {
        match self.scope == "tests" {
            true => "test".to_owned(),
            false => format!("{}, {}", self.scope, count(self.tests, "test")),
        }
    }
}

impl Drawing {
    pub(crate) fn of(tests: &[PlannedTest], with_tests: bool) -> Self {
        let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
        for test in tests {
            for fixture in &test.fixtures {
                let node = nodes.entry(fixture.label()).or_default();
                node.name.clone_from(&fixture.name);
                node.scope.clone_from(&fixture.scope);
                node.needs.extend(fixture.needs.iter().cloned());
                node.tests += 1;
            }
            if with_tests {
                let unasked = test.fixtures.iter();
                let unasked = unasked.filter(|fixture| fixture.scope == "around");
                let mut needs: BTreeSet<String> = test.needs.iter().cloned().collect();
                needs.extend(unasked.map(|fixture| fixture.label()));
                nodes.insert(
                    test.name.clone(),
                    Node {
                        name: test.name.clone(),
                        scope: "tests".to_owned(),
                        needs,
                        tests: 1,
                    },
                );
            }
        }
        Self { nodes }
    }

    /// How far a node is from those that get nothing.
    pub(crate) fn height(&self, label: &str) -> usize {
        // Plans have no circles.
        let needs = self
            .nodes
            .get(label)
            .into_iter()
            .flat_map(|node| &node.needs);
        needs
            .map(|need| self.height(need) + 1)
            .max()
            .unwrap_or_default()
    }

    /// A tree for each node that no other one gets.
    pub(crate) fn text(&self) -> String {
        let needed: BTreeSet<&String> = self.nodes.values().flat_map(|node| &node.needs).collect();
        let mut text = String::new();
        let mut drawn = BTreeSet::new();
        for label in self.nodes.keys().filter(|label| !needed.contains(label)) {
            self.branch(label, "", "", &mut drawn, &mut text);
        }
        text
    }

    fn branch<'a>(
        &'a self,
        label: &'a str,
        first: &str,
        rest: &str,
        drawn: &mut BTreeSet<&'a str>,
        text: &mut String,
    ) {
        let Some(node) = self.nodes.get(label) else {
            return;
        };
        let is_new = drawn.insert(label);
        let again = match is_new || node.needs.is_empty() {
            true => "",
            false => ", as above",
        };
        let _ = writeln!(text, "{first}{label} [{}{again}]", node.about());
        if !is_new {
            return;
        }
        for (at, need) in node.needs.iter().enumerate() {
            let (mark, more) = match at + 1 == node.needs.len() {
                true => ("└─ ", "   "),
                false => ("├─ ", "│  "),
            };
            self.branch(
                need,
                &format!("{rest}{mark}"),
                &format!("{rest}{more}"),
                drawn,
                text,
            );
        }
    }

    /// A diagram of Mermaid.
    pub(crate) fn mermaid(&self) -> String {
        let numbers: BTreeMap<&String, usize> = self.nodes.keys().zip(1..).collect();
        let mut text = "flowchart TD\n".to_owned();
        for (label, node) in &self.nodes {
            let name = node.name.replace('"', "#quot;");
            let _ = writeln!(
                text,
                "  n{}[\"{name}<br/><small>{}</small>\"]:::{}",
                numbers[label],
                node.about(),
                node.scope
            );
        }
        for (label, node) in &self.nodes {
            for need in node.needs.iter().filter_map(|need| numbers.get(need)) {
                let _ = writeln!(text, "  n{} --> n{need}", numbers[label]);
            }
        }
        text.push_str(
            "  classDef process fill:#2a78d6,stroke:#2a78d6,color:#fff\n  \
               classDef module fill:#0d9488,stroke:#0d9488,color:#fff\n  \
               classDef test fill:none,stroke:#2a78d6\n  \
               classDef around fill:none,stroke:#b45309\n  \
               classDef tests fill:none,stroke-dasharray:4\n",
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::planned::PlannedFixture;

    #[test]
    fn what_several_fixtures_get_is_drawn_once() {
        let fixture = |name: &str, needs: &[&str]| PlannedFixture {
            name: name.to_owned(),
            module: "m".to_owned(),
            scope: "test".to_owned(),
            place: String::new(),
            needs: needs.iter().map(|need| format!("m::{need}")).collect(),
        };
        let test = |name: &str, needs: &str| PlannedTest {
            name: name.to_owned(),
            fixtures: vec![
                fixture("db", &[]),
                fixture("pool", &["db"]),
                fixture("ann", &["pool"]),
                fixture("bob", &["ann", "pool"]),
            ],
            needs: vec![format!("m::{needs}")],
        };
        let tests = [test("t::one", "bob"), test("t::two", "bob")];
        let drawing = Drawing::of(&tests, false);
        assert_eq!(
            drawing.text(),
            "m::bob [test, 2 tests]\n\
             ├─ m::ann [test, 2 tests]\n\
             │  └─ m::pool [test, 2 tests]\n\
             │     └─ m::db [test, 2 tests]\n\
             └─ m::pool [test, 2 tests, as above]\n"
        );
        assert_eq!(drawing.height("m::bob"), 3);
        let mermaid = drawing.mermaid();
        assert!(
            mermaid.starts_with("flowchart TD\n  n1[\"ann<br/>"),
            "{mermaid}"
        );
        assert!(
            mermaid.contains("  n1 --> n4\n  n2 --> n1\n  n2 --> n4\n  n4 --> n3\n"),
            "{mermaid}"
        );
        let text = Drawing::of(&tests, true).text();
        assert!(
            text.contains("t::two [test]\n└─ m::bob [test, 2 tests, as above]\n"),
            "{text}"
        );
    }
}
