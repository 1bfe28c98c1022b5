//! Databases of failed tests, on each backend and with each isolation: which are kept, and where.

use sea_orm::{ConnectionTrait as _, Statement};

use crate::run;

#[test]
fn the_database_of_a_failed_test_is_kept_and_no_other() {
    let output = run("kept::", &["--nocapture"], &[("GREEN_LIGHT_KEEP", "3")]);
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let kept: Vec<_> = text
        .lines()
        .filter_map(|line| {
            line.split_once("the database of test `")?
                .1
                .split_once("` is kept: ")
        })
        .collect();
    let mut told = Vec::new();
    for test in [
        "a_fails_and_is_kept",
        "b_fails_with_the_shared_one_and_is_kept",
    ] {
        told.extend(["sqlite", "postgres", "mysql"].map(|backend| format!("{test}::{backend}")));
    }
    let mut tests: Vec<_> = kept.iter().map(|(test, _)| *test).collect();
    tests.sort_by_key(|test| told.iter().position(|told| told == test));
    assert_eq!(tests, told, "{text}");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (test, url) in kept {
        let found = runtime.block_on(evidence(url));
        assert_eq!(found.expect("it is where it is said to be"), 1, "{test}");
        if let Some(path) = url.strip_prefix("sqlite://") {
            std::fs::remove_file(path).expect("it is a file");
        }
    }
    for backend in ["sqlite", "postgres", "mysql"] {
        let nothing = format!("nothing of test `d_fails_in_a_transaction::{backend}` is kept");
        assert_eq!(text.matches(&nothing).count(), 1, "{text}");
    }
}

/// How many rows the tests that failed have left there.
async fn evidence(url: &str) -> Result<i64, sea_orm::DbErr> {
    let kept = sea_orm::Database::connect(url).await?;
    let sql = "SELECT count(*) FROM evidence WHERE x = 7";
    let row = kept
        .query_one_raw(Statement::from_string(kept.get_database_backend(), sql))
        .await?;
    let found = row.map_or(Ok(0), |row| row.try_get_by_index(0));
    kept.close().await?;
    found
}
