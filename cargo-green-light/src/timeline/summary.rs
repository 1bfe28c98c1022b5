//! A run in a few lines, for the terminal.

use crate::print::{BAD, FAINT, STRONG, count, seconds};
use crate::timeline::lost::Share;
use crate::timeline::run::Run;

/// How many of the slowest tests are shown.
const SHOWN: usize = 5;

/// Prints what there is to know before the page is opened.
pub(crate) fn print(run: &Run, shares: &[Share]) {
    let busy: f64 = shares
        .iter()
        .filter(|share| !share.what.is_lost())
        .map(|share| share.seconds)
        .sum();
    let failed = run
        .tests
        .iter()
        .filter(|test| is_bad(&test.outcome))
        .count();
    let failed = match failed {
        0 => String::new(),
        failed => format!(", {BAD}{failed} failed{BAD:#}"),
    };
    anstream::println!(
        "\n{STRONG}{} in {} on {}{STRONG:#}{failed}; {:.1} of them busy on average",
        count(run.tests.len(), "test"),
        seconds(run.took),
        count(run.lanes, "lane"),
        busy / run.took.max(f64::MIN_POSITIVE),
    );
    anstream::println!("\nwhat the lanes did");
    for share in shares {
        let part = format!("{:.1} %", share.part * 100.0);
        let causes: Vec<_> = share
            .causes
            .iter()
            .take(2)
            .map(|cause| format!("`{}`", cause.name))
            .collect();
        let causes = match (&causes[..], share.what.is_lost()) {
            ([_, ..], true) => format!(" {FAINT}({}){FAINT:#}", causes.join(", ")),
            _ => String::new(),
        };
        anstream::println!(
            "{part:>9} {:>9}  {}{causes}",
            seconds(share.seconds),
            share.label
        );
    }
    let mut tests: Vec<_> = run.tests.iter().collect();
    tests.sort_by(|a, b| b.took().total_cmp(&a.took()));
    anstream::println!("\nslowest tests");
    for test in tests.into_iter().take(SHOWN) {
        anstream::println!("{:>9}  {}", seconds(test.took()), test.name);
    }
}

/// Whether a test with this outcome did not do what it should.
pub(crate) fn is_bad(outcome: &str) -> bool {
    matches!(outcome, "failed" | "error" | "unfinished")
}
