//! What tests print whose server, which green-light has started, was killed under them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::redacted::redacted;
use crate::specimens;

/// A copy of the specimens in another target directory has servers of its own.
#[test]
fn a_server_that_is_killed_under_its_tests_is_named_with_its_log() {
    let program = specimens();
    let directory = tempfile::Builder::new()
        .prefix("checkout-")
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir_in(program.parent().expect("it is in a directory"))
        .expect("a directory");
    let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
    fs::write(directory.path().join("CACHEDIR.TAG"), tag).expect("the tag is written");
    let copy = directory.path().join("specimens");
    fs::hard_link(program, &copy).expect("a link");
    let output = Command::new(copy)
        .args(["dead_server::", "--test-threads", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUST_BACKTRACE")
        .env_remove("NEXTEST")
        .env_remove("GREEN_LIGHT_POSTGRES_URL")
        .env_remove("GREEN_LIGHT_MYSQL_URL")
        .output()
        .expect("the specimens run");
    let text = redacted(&output).replace("stdout: ", "");
    for (test, server) in [
        ("a_kills_it::mysql", "MariaDB or MySQL"),
        ("a_kills_it::postgres", "PostgreSQL"),
        ("b_comes_too_late::mysql", "MariaDB or MySQL"),
        ("b_comes_too_late::postgres", "PostgreSQL"),
    ] {
        let section = text.split_once(&format!("---- dead_server::{test} stdout ----\n"));
        let (_, section) = section.unwrap_or_else(|| panic!("`{test}` did not fail: {text}"));
        let section = section.split("\n---- ").next().unwrap_or_default();
        let ended = format!("the {server} that green-light started has ended while tests use it");
        assert!(section.contains(&ended), "{section}");
        assert!(section.contains("/server.log`"), "{section}");
        assert!(!section.contains("_URL"), "no variable is set: {section}");
    }
}
