//! What a keeper says to those who ask for the value: two lines of JSON.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::report::failure::Failure;

/// The first line: who keeps, and where its log is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub(crate) process: u32,
    pub(crate) log: PathBuf,
}

impl Greeting {
    pub(crate) fn line(process: u32, log: &Path) -> String {
        format!(
            "{}\n",
            json!({ "process": process, "log": log.to_string_lossy() })
        )
    }

    pub(crate) fn parse(line: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(Self {
            process: message["process"].as_u64()?.try_into().ok()?,
            log: message["log"].as_str()?.into(),
        })
    }
}

/// How the keeper `process` begins its log.
pub(crate) fn begin_of_log(process: u32) -> String {
    format!("process {process} keeps fixture ")
}

/// What the keeper prints before the error, when its set-up has failed.
pub(crate) const FAILED: &str = "its set-up failed: ";

/// The second line, once the set-up has ended: the value as JSON, or why there is none.
pub(crate) type Outcome = Result<String, Failure>;

pub(crate) fn outcome_line(outcome: &Outcome) -> String {
    let message = match outcome {
        Ok(text) => json!({ "value": text }),
        Err(failure) => json!({ "failure": {
            "message": failure.message,
            "causes": failure.causes,
            "place": failure.place,
            "panicked": failure.panicked,
            "skipped": failure.skipped,
            "via": failure.via,
        }}),
    };
    format!("{message}\n")
}

pub(crate) fn parse_outcome(line: &str) -> Option<Outcome> {
    let mut message: Value = serde_json::from_str(line).ok()?;
    if let Value::String(text) = message["value"].take() {
        return Some(Ok(text));
    }
    let failure = &message["failure"];
    let texts = |name: &str| {
        let texts = failure[name].as_array().into_iter().flatten();
        texts.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Some(Err(Failure {
        causes: texts("causes"),
        place: failure["place"].as_str().map(str::to_owned),
        panicked: failure["panicked"].as_bool()?,
        skipped: failure["skipped"].as_bool()?,
        via: texts("via"),
        ..Failure::new(failure["message"].as_str()?)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let line = Greeting::line(7, Path::new("/a b/log"));
        let greeting = Greeting {
            process: 7,
            log: "/a b/log".into(),
        };
        assert_eq!(Greeting::parse(&line), Some(greeting));
        let failure = Failure {
            causes: vec!["one".to_owned(), "two\nlines".to_owned()],
            place: Some("a.rs:1".to_owned()),
            panicked: true,
            skipped: false,
            via: vec!["by way".to_owned()],
            ..Failure::new("no \"server\"")
        };
        for outcome in [Ok("{\"a\":\n1}".to_owned()), Err(failure)] {
            let line = outcome_line(&outcome);
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert_eq!(parse_outcome(&line), Some(outcome));
        }
        for nonsense in ["", "{}", "{\"failure\":{}}"] {
            assert_eq!(parse_outcome(nonsense), None, "{nonsense}");
        }
    }
}
