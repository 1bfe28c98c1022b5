//! Makes one mistake after the other and counts the graphs that notice it.

use std::path::Path;

use super::list::MUTANTS;
use super::tree::Tree;
use crate::conformance::{Suite, notices};

/// The suites, and how many of their graphs are run: one in so many.
const SUITES: [(&str, usize); 4] = [("cases", 1), ("core", 10), ("override", 10), ("ext", 10)];

/// Runs the mutants whose name contains `filter`.
///
/// # Errors
///
/// If one survives, does not apply any more, or does not build.
pub(crate) fn run(root: &Path, filter: &str) -> Result<(), String> {
    let mut suites = Vec::new();
    for (name, every) in SUITES {
        let file = root.join(format!("tests/conformance/{name}.jsonl"));
        suites.push(Suite::read(name, &file, every)?);
    }
    let tree = Tree::copy(root)?;
    let mutants: Vec<_> = MUTANTS
        .iter()
        .filter(|mutant| mutant.name.contains(filter))
        .collect();
    if mutants.is_empty() {
        return Err(format!("no mutant has `{filter}` in its name"));
    }
    // All have to apply before the first is built.
    for mutant in &mutants {
        tree.apply(mutant)?;
        tree.undo(mutant)?;
    }
    let mut rows = vec![("none", notices(&tree.root, &suites)?)];
    if rows[0].1.iter().any(|noticed| *noticed > 0) {
        return Err("graphs differ without any mistake; see `cargo xtask conformance`".to_owned());
    }
    for mutant in mutants {
        tree.apply(mutant)?;
        let noticed = notices(&tree.root, &suites);
        tree.undo(mutant)?;
        let noticed = noticed.map_err(|error| format!("{}: {error}", mutant.name))?;
        println!(
            "{}: noticed by {} graphs",
            mutant.name,
            noticed.iter().sum::<usize>()
        );
        rows.push((mutant.name, noticed));
    }
    report(&suites, &rows)
}

fn report(suites: &[Suite], rows: &[(&str, Vec<usize>)]) -> Result<(), String> {
    print!("\n{:<28}", "mutant");
    for suite in suites {
        print!("{:>10}", suite.name);
    }
    println!();
    for (name, noticed) in rows {
        print!("{name:<28}");
        for count in noticed {
            print!("{count:>10}");
        }
        println!();
    }
    let survived = rows
        .iter()
        .skip(1)
        .filter(|(_, noticed)| noticed.iter().all(|count| *count == 0));
    let survived: Vec<&str> = survived.map(|(name, _)| *name).collect();
    if survived.is_empty() {
        return Ok(());
    }
    Err(format!("nothing notices {}", survived.join(", ")))
}
