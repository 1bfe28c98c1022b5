//! What a measurement says, as one line.

use std::time::Duration;

use super::timing::{Time, best};

/// Prints how green-light compares with a peer.
pub(crate) fn ratio(what: &str, ours: &[Time], peer: &str, theirs: &[Time], limit: f64) {
    let (ours, theirs) = (best(ours), best(theirs));
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let peer = format!("{peer} {theirs:.1?}");
    line(what, ours, &peer, ratio, "x", limit);
}

/// Prints what something costs, in microseconds.
pub(crate) fn cost(what: &str, took: Duration, limit: f64) {
    line(what, took, "", took.as_secs_f64() * 1e6, "us", limit);
}

fn line(what: &str, took: Duration, peer: &str, figure: f64, unit: &str, limit: f64) {
    let took = format!("{took:.1?}");
    let figure_text = if figure < 0.1 {
        format!("{figure:.4}")
    } else {
        format!("{figure:.2}")
    };
    let verdict = if figure <= limit { "kept" } else { "MISSED" };
    println!(
        "{what:42} {took:>9}  {peer:26} {figure_text:>8} {unit:2} (<= {limit} {unit}: {verdict})"
    );
}
