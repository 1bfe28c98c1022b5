//! Lanes: each holds one test at a time. A test takes the first lane that is free when it begins.

use crate::timeline::run::Run;

/// Between the end of a test and the begin of the next, clocks may differ by so much.
const GRAIN: f64 = 2e-6;

/// Gives each test its lane.
pub(crate) fn assign(run: &mut Run) {
    let mut free_from: Vec<f64> = Vec::new();
    // They are sorted by their begin.
    for test in &mut run.tests {
        let free = free_from
            .iter()
            .position(|free| *free <= test.began + GRAIN);
        test.lane = free.unwrap_or_else(|| {
            free_from.push(0.0);
            free_from.len() - 1
        });
        free_from[test.lane] = test.ended;
    }
    run.lanes = free_from.len();
}
