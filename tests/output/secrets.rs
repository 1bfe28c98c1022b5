//! The URL of a variable has a password: nothing that can be asked for prints it.

use crate::{redacted::redacted, run};

#[test]
fn no_password_of_a_variable_is_printed_or_written() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let events = directory.path().join("events.jsonl");
    let events = events.to_str().expect("the path is text");
    for shown in [
        ("GREEN_LIGHT_SHOW", "setup"),
        ("GREEN_LIGHT_SHOW", "plan"),
        ("GREEN_LIGHT_SHOW", "fixtures"),
        ("GREEN_LIGHT_SHOW", "durations"),
        ("GREEN_LIGHT_DEBUG", "1"),
        ("GREEN_LIGHT_EVENTS", events),
    ] {
        let url = "postgres://app:p%40ss%2Fhunter2@127.0.0.1:1/shop?sslmode=disable";
        let env = [shown, ("GREEN_LIGHT_POSTGRES_URL", url)];
        let test = "postgres::a_statement_before_has_failed";
        let text = redacted(&run(test, &["--nocapture"], &env));
        assert!(text.contains("a_statement_before_has_failed"), "{text}");
        assert!(!text.contains("hunter2"), "{shown:?}: {text}");
    }
    let written = std::fs::read_to_string(events).expect("the events are written");
    assert!(
        written.contains("a_statement_before_has_failed"),
        "{written}"
    );
    assert!(!written.contains("hunter2"), "{written}");
}
