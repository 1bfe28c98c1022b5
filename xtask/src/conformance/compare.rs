//! Whether what happened is what was expected, event by event.

use serde_json::Value;

/// The events of one graph, with its own module taken out of every name, and without times.
pub(crate) fn read(events: &str, graph: &str) -> Result<Vec<Value>, String> {
    let text = events
        .replace(&format!("\"at\":\"{graph}\""), "\"at\":null")
        .replace(&format!("@{graph}#"), "#")
        .replace(&format!("{graph}::"), "");
    // How long a test waits for another is no matter of order.
    text.lines()
        .filter(|line| !line.starts_with("{\"ev\":\"WAIT\""))
        .map(|line| {
            let mut event: Value =
                serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
            if let Some(event) = event.as_object_mut() {
                for key in [
                    "time", "took", "began", "process", "scope", "program", "runner",
                ] {
                    event.remove(key);
                }
            }
            Ok(event)
        })
        .collect()
}

/// The first difference, or nothing.
pub(crate) fn exact(expected: &[Value], actual: &[Value]) -> Option<String> {
    for (number, (expected, actual)) in expected.iter().zip(actual).enumerate() {
        if expected != actual {
            return Some(format!(
                "event {}:\n  expected {expected}\n  actual   {actual}",
                number + 1
            ));
        }
    }
    (expected.len() != actual.len())
        .then(|| format!("expected {} events, got {}", expected.len(), actual.len()))
}
