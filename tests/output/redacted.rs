//! What differs from run to run, taken out of what is printed.

use std::process::Output;

/// Times, and the ids of threads and tasks, differ from run to run.
pub(crate) fn redacted(output: &Output) -> String {
    let mut text = String::new();
    for (stream, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let said = String::from_utf8_lossy(bytes);
        // How long the end of the process takes depends on what else the machine does.
        let ending = "green-light: dropping the databases of this process on ";
        for line in said.lines().filter(|line| !line.starts_with(ending)) {
            // How many specimens there are besides, and how long these took, is nobody's business.
            let line = line
                .split_once("; 0 measured; ")
                .map_or(line, |(rest, _)| rest);
            text.push_str(&format!("{stream}: {}\n", without_numbers(line)).replace(": \n", ":\n"));
        }
    }
    text + &format!("status: {}\n", output.status.code().unwrap_or(-1))
}

pub(crate) fn without_numbers(line: &str) -> String {
    without_own_line(&without_dependency(&without_task_id(&without_thread_id(
        &without_time(line),
    ))))
}

/// Where a fixture of green-light stands in its file changes with whatever is written above it.
fn without_own_line(line: &str) -> String {
    let file = "green-light-fixtures/src/fixtures/test_scope.rs:";
    match line.split_once(file) {
        Some((before, after)) => {
            let rest = after.trim_start_matches(|character: char| character.is_ascii_digit());
            format!("{before}{file}..{rest}")
        }
        None => line.to_owned(),
    }
}

/// A phase that blocked its thread tells how long.
fn without_time(line: &str) -> String {
    let (begin, end) = (" was done after ", ", and had ");
    match (line.split_once(begin), line.split_once(end)) {
        (Some((before, _)), Some((_, after))) => format!("{before}{begin}..{end}{after}"),
        _ => line.to_owned(),
    }
}

/// Where in a dependency something panicked depends on its version, and on where cargo keeps it.
fn without_dependency(line: &str) -> String {
    let Some((before, after)) = line.split_once("/registry/src/") else {
        return line.to_owned();
    };
    let before = before.rfind(' ').map_or("", |at| &before[..=at]);
    // `index/tokio-1.54.1/src/task/local.rs:445:29:`
    let name = after.split('/').nth(1).unwrap_or_default();
    let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
    format!("{before}somewhere in {name}")
}

/// `thread 'name' (1234) panicked` names the thread by its id, too.
fn without_thread_id(line: &str) -> String {
    let Some((before, after)) = line.split_once("' (") else {
        return line.to_owned();
    };
    match after.split_once(')') {
        Some((id, rest)) if id.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{before}'{rest}")
        }
        _ => line.to_owned(),
    }
}

fn without_task_id(line: &str) -> String {
    let mut line = line.to_owned();
    for mark in ["JoinError::Panic(Id(", ": task "] {
        if let Some((before, after)) = line.split_once(mark) {
            let rest = after.trim_start_matches(|character: char| character.is_ascii_digit());
            line = format!("{before}{mark}..{rest}");
        }
    }
    line
}

/// An event without how long it took and when it was written, both of which it has to have.
pub(crate) fn without_times(event: &str) -> String {
    let mut text = event.to_owned();
    for key in ["took", "began", "program", "process", "time"] {
        let Some(from) = text.find(&format!(",\"{key}\":")) else {
            let is_there = match key {
                "took" => !event.contains("\"CALL\"") && !event.contains("\"PLAN\""),
                "began" => event.contains("\"OUTCOME\""),
                "program" => event.contains("\"PLAN\""),
                _ => true,
            };
            assert!(!is_there, "`{key}` is missing: {event}");
            continue;
        };
        let value = &text[from + key.len() + 4..];
        let end = match value.strip_prefix('{') {
            Some(object) => object.find('}').map(|end| end + 2),
            None => value.find([',', '}']),
        };
        let end = from + key.len() + 4 + end.expect("a value ends");
        text.replace_range(from..end, "");
    }
    text
}
