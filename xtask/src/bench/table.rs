//! What a measurement says, as a line of a table in Markdown, as `benches/README.md` has it.

use std::time::Duration;

/// Prints how green-light compares with a peer, and whether that is as promised.
pub(crate) fn ratio(what: &str, ours: Duration, peer: &str, theirs: Duration, limit: f64) {
    compare(what, ours, peer, theirs, Some(limit));
}

/// Prints how green-light compares with a peer, of which nothing is promised.
pub(crate) fn told(what: &str, ours: Duration, peer: &str, theirs: Duration) {
    compare(what, ours, peer, theirs, None);
}

fn compare(what: &str, ours: Duration, peer: &str, theirs: Duration, limit: Option<f64>) {
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let peer = format!("{peer} {theirs:.1?}");
    line(what, ours, &peer, ratio, "", limit);
}

/// Prints what something costs, in microseconds.
pub(crate) fn cost(what: &str, took: Duration, limit: f64) {
    line(what, took, "", took.as_secs_f64() * 1e6, " µs", Some(limit));
}

/// Prints what a test takes, in milliseconds.
pub(crate) fn time(what: &str, took: Duration, limit: f64) {
    line(what, took, "", took.as_secs_f64() * 1e3, " ms", Some(limit));
}

/// Prints how much longer than its peer something takes, in milliseconds.
pub(crate) fn more(what: &str, took: Duration, peer: &str, theirs: Duration, limit: f64) {
    let more = took.saturating_sub(theirs).as_secs_f64() * 1e3;
    let peer = format!("{peer} {theirs:.1?}");
    line(what, took, &peer, more, " ms", Some(limit));
}

/// Prints what is above the lines.
pub(crate) fn head() {
    println!("| what | green-light | against | figure | promised |");
    println!("|---|---|---|---|---|");
}

fn line(what: &str, took: Duration, peer: &str, figure: f64, unit: &str, limit: Option<f64>) {
    let took = format!("{took:.1?}");
    let figure_text = if figure < 0.1 {
        format!("{figure:.4}")
    } else {
        format!("{figure:.2}")
    };
    let verdict = match limit {
        Some(limit) if figure <= limit => format!("{limit}{unit}: kept"),
        Some(limit) => format!("{limit}{unit}: MISSED"),
        None => String::new(),
    };
    let figure = figure_text + unit;
    println!("| {what:49} | {took:>8} | {peer:25} | {figure:>9} | {verdict:14} |");
}
