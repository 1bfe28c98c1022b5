//! What a measurement says, as one line.

use std::time::Duration;

/// One line of the result.
pub(crate) struct Row {
    pub(crate) what: String,
    /// What green-light took.
    pub(crate) ours: Duration,
    /// Whom it is compared with, and what that took.
    pub(crate) peer: Option<(String, Duration)>,
    /// Ours for one of theirs; without a peer, ours in microseconds.
    pub(crate) figure: f64,
    /// What the figure must not exceed.
    pub(crate) limit: Option<f64>,
}

impl Row {
    /// Prints it.
    pub(crate) fn print(&self) {
        let ours = format!("{:.1?}", self.ours);
        let peer = self
            .peer
            .as_ref()
            .map_or_else(String::new, |(name, took)| format!("{name} {took:.1?}"));
        let unit = if self.peer.is_some() { " x" } else { " us" };
        let figure = if self.figure < 0.1 {
            format!("{:.4}{unit}", self.figure)
        } else {
            format!("{:.2}{unit}", self.figure)
        };
        let limit = self.limit.map_or_else(String::new, |limit| {
            let word = if self.figure <= limit { "ok" } else { "MISSED" };
            format!("<= {limit}{unit}  {word}")
        });
        println!(
            "{:44} {ours:>10}  {peer:32} {figure:>11}  {limit}",
            self.what
        );
    }
}
