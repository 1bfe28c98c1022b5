//! The workflows of CI: what they use is named by commit, and no job runs for ever.

use crate::files::{File, assert_tidy, files};

fn workflows() -> Vec<File> {
    let workflows: Vec<File> = files()
        .into_iter()
        .filter(|file| file.path.starts_with(".github/workflows/"))
        .collect();
    assert!(!workflows.is_empty(), "the workflows are not found");
    workflows
}

/// A tag can be moved to other code, and a commit cannot.
#[test]
fn every_action_is_named_by_commit_and_tag() {
    let mut complaints = Vec::new();
    let mut count = 0;
    for File { path, text } in workflows() {
        for line in text.lines() {
            let Some((_, action)) = line.split_once("uses: ") else {
                continue;
            };
            count += 1;
            let (action, tag) = action.split_once(" # ").unwrap_or((action, ""));
            let commit = action.rsplit('@').next().unwrap_or_default();
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            if !is_commit || tag.is_empty() {
                complaints.push(format!(
                    "{path}: `{action}` is not `owner/name@COMMIT # TAG`"
                ));
            }
        }
    }
    assert!(count > 10, "the actions are not found");
    assert_tidy(&complaints);
}

/// GitHub ends a job after six hours by itself.
#[test]
fn every_job_has_a_limit_of_time() {
    let mut complaints = Vec::new();
    for File { path, text } in workflows() {
        let (_, jobs) = text.split_once("\njobs:\n").unwrap();
        // What stands two spaces deep is the name of a job.
        let mut unlimited: Option<&str> = None;
        for line in jobs.lines().chain(["  end:"]) {
            let is_name = line.starts_with("  ") && !line[2..].starts_with([' ', '#']);
            if is_name {
                let job = unlimited.replace(line.trim().trim_end_matches(':'));
                complaints.extend(job.map(|job| format!("{path}: `{job}` has no timeout-minutes")));
            } else if line.starts_with("    timeout-minutes: ") {
                unlimited = None;
            }
        }
    }
    assert_tidy(&complaints);
}

/// YAML reads `run: cargo test stress::` as the beginning of a map, and GitHub then runs no job at all.
#[test]
fn no_command_ends_with_what_begins_a_map() {
    let mut complaints = Vec::new();
    for File { path, text } in workflows() {
        for line in text.lines() {
            let Some((_, command)) = line.split_once("run: ") else {
                continue;
            };
            let is_plain = !command.starts_with(['"', '\'', '|', '>']);
            if is_plain && (command.ends_with(':') || command.contains(": ")) {
                complaints.push(format!("{path}: put quotes around `{command}`"));
            }
        }
    }
    assert_tidy(&complaints);
}
