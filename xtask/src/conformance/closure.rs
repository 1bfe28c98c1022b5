//! Which fixtures a test needs, and in which order: items 1 to 8.

use std::collections::HashMap;

use super::graph::{Case, Test};

/// The names of the fixtures of `test`, in the order of their set-up.
pub(crate) fn of(case: &Case, test: &Test) -> Vec<String> {
    let mut visits = Visits {
        case,
        module: &test.module,
        entered: HashMap::new(),
        order: Vec::new(),
    };
    let autouse = autouse(case, &test.module);
    for name in autouse.iter().chain(&test.uses).chain(&test.requests) {
        visits.visit(name);
    }
    let mut order = visits.order;
    order.sort_by_key(|name| {
        let nearest = case.visible(name, Some(&test.module));
        std::cmp::Reverse(nearest.map_or(0, |fixture| fixture.width()))
    });
    order
}

/// Outermost level first, by name within a level.
fn autouse(case: &Case, module: &str) -> Vec<String> {
    let mut all = Vec::new();
    for level in [None, Some(module)] {
        let here = case.fixtures.iter();
        let mut names: Vec<String> = here
            .filter(|fixture| fixture.autouse && fixture.module.as_deref() == level)
            .map(|fixture| fixture.name.clone())
            .collect();
        names.sort();
        all.extend(names);
    }
    all
}

/// Depth-first order of names, each before what it requests.
struct Visits<'a> {
    case: &'a Case,
    module: &'a str,
    /// How many definitions of a name are being visited; 0 when it has been left.
    entered: HashMap<String, usize>,
    order: Vec<String>,
}

impl Visits<'_> {
    fn visit(&mut self, name: &str) {
        let depth = match self.entered.get(name) {
            Some(0) => return,
            Some(depth) => *depth,
            None => {
                self.order.push(name.to_owned());
                0
            }
        };
        let definitions = self.case.definitions(name, Some(self.module));
        let Some(index) = definitions.len().checked_sub(1 + depth) else {
            return;
        };
        self.entered.insert(name.to_owned(), depth + 1);
        for dep in &definitions[index].deps {
            self.visit(dep);
        }
        self.entered.insert(name.to_owned(), depth);
    }
}
