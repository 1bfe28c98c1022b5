//! Every variable of green-light with a value that it cannot have, and one with a name that it cannot have.

use super::redacted::redacted;
use super::{expect_file, run};

const BAD: &[(&str, &str)] = &[
    ("GREEN_LIGHT_SHWO", "setup"),
    ("GREEN_LIGHT_SHOW", "stup"),
    ("GREEN_LIGHT_DEBUG", "yes"),
    ("GREEN_LIGHT_AUTOUSE", "no"),
    ("GREEN_LIGHT_SKIP", "1"),
    ("GREEN_LIGHT_EVENTS", "no/such/directory/events.jsonl"),
    ("GREEN_LIGHT_STACK_SIZE", "big"),
    ("GREEN_LIGHT_STALL_TIMEOUT", "soon"),
    ("GREEN_LIGHT_DROP_TIMEOUT", "0"),
    ("GREEN_LIGHT_ISOLATION", "databse"),
    ("GREEN_LIGHT_KEEP", "yes"),
    ("GREEN_LIGHT_REBUILD", "yes"),
    ("GREEN_LIGHT_CONNECTIONS", "1"),
    ("GREEN_LIGHT_WAIT", "soon"),
    ("GREEN_LIGHT_LINGER", "long"),
    ("GREEN_LIGHT_DIR", "cache"),
    ("GREEN_LIGHT_DIR", "/dev/null/cache"),
];

/// Those that name a server fail the tests on that server.
const OF_SERVERS: &[(&str, &str)] = &[("GREEN_LIGHT_POSTGRES_URL", "localhost")];

#[test]
fn a_variable_that_is_not_understood_fails_every_test_with_the_cure() {
    let told = |filter: &str, (variable, value): (&str, &str)| {
        let text = redacted(&run(filter, &[], &[(variable, value)]));
        let lines = text
            .lines()
            .skip_while(|line| !line.contains(" stdout ----"));
        let lines = lines
            .skip(1)
            .take_while(|line| *line != "stdout: failures:");
        let lines = lines.filter(|line| *line != "stdout:");
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        assert!(text.contains("FAILED"), "{variable}={value}: {text}");
        lines.replace("stdout: ", "") + "\n"
    };
    let passes = "database::z_sees_nothing_of_them";
    let told: String = (BAD.iter().map(|bad| told(passes, *bad)))
        .chain(
            OF_SERVERS
                .iter()
                .map(|bad| told("postgres::a_statement_before_has_failed", *bad)),
        )
        .collect();
    expect_file!["variables.txt"].assert_eq(&told);
}
