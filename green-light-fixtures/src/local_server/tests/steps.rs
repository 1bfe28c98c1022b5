//! The end of a process, or of a supervisor, at every step of a start.

use std::{env, fs, sync::Mutex, thread};

use crate::failpoint::VARIABLE as STEP;
use crate::local_server::program::ServerProgram;
use crate::local_server::tests::support::{
    Process, eventually, expect_gone, on_each_server, server_dir, target,
};
use crate::local_server::watchdog;

/// Before which line of `watchdog.sh` the shell dies that comes there.
const LINE: &str = "TEST_LINE";
/// Of how many lines one is deadly in a run.
const EVERY: &str = "GREEN_LIGHT_KILL_EVERY";
/// More than there are.
const MANY: usize = 200;

/// The number in a variable.
fn wanted(variable: &str) -> Option<usize> {
    env::var(variable).ok()?.parse().ok()
}

/// `watchdog.sh`, deadly before one of its lines if this process is to have it so.
pub(crate) fn deadly(script: &str) -> String {
    let wanted = wanted(LINE);
    let mut number = 0;
    let mut text = String::new();
    for line in script.lines() {
        if is_command(line) && !text.ends_with("\\\n") {
            if Some(number) == wanted {
                // Whichever shell comes here: the number of the first is `$$` in all of them.
                text.push_str("sh -c 'kill -s KILL $PPID' 9<&- 3<&- 4<&-\n");
            }
            number += 1;
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Whether another command may stand before this line.
fn is_command(line: &str) -> bool {
    let line = line.trim();
    let words = ["done", "fi", "}", "#", "then", "do", "else"];
    !line.is_empty() && !words.iter().any(|word| line.starts_with(word))
}

/// Starts a server with `variable` at each number up to `count`, as long as `came_to` says to go on, and
/// after each another one, for which all must be well.
fn one_after_the_other(
    program: &'static ServerProgram,
    variable: &str,
    count: usize,
    came_to: impl Fn(usize, &str) -> bool + Sync,
) {
    const WORKERS: usize = 3;
    // All, if asked for; each takes seconds.
    let every = wanted(EVERY).unwrap_or(if variable == LINE { 4 } else { 1 });
    let numbers = Mutex::new((0..count).step_by(every));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let target = target();
                let dir = server_dir(program, &target);
                while let Some(number) = { numbers.lock().unwrap().next() } {
                    let mut dying = Process::start_with(program, &target, variable, number);
                    let said = dying.until("after ");
                    dying.kill();
                    // Who comes before would use the server that a deadly script watches over.
                    eventually("a supervisor is still there", || !watchdog::is_kept(&dir));
                    if !came_to(number, &said) {
                        numbers.lock().unwrap().nth(MANY);
                    }
                    let mut next = Process::start(program, &target);
                    next.sockets();
                    next.end();
                    expect_gone(&dir);
                    if variable == STEP {
                        // The first start has the most steps.
                        fs::remove_dir_all(dir.data()).unwrap();
                    }
                }
            });
        }
    });
}

#[test]
fn a_user_killed_at_any_step_of_a_start_leaves_nothing() {
    on_each_server(|program| {
        let steps = Mutex::new(Vec::new());
        one_after_the_other(program, STEP, MANY, |_, said| {
            let last = said
                .lines()
                .rev()
                .find_map(|line| line.strip_prefix("step "));
            steps
                .lock()
                .unwrap()
                .push(last.unwrap_or_default().to_owned());
            !said.contains("after ")
        });
        let steps = steps.into_inner().unwrap();
        for step in [
            "lock",
            "claim",
            "initialise",
            "whole",
            "sockets",
            "endpoint",
            "spawned",
        ] {
            assert!(
                steps.iter().any(|s| s == step),
                "`{step}` is not in {steps:?}"
            );
        }
    });
}

#[test]
fn a_supervisor_killed_at_any_line_of_its_script_leaves_nothing_after_the_next() {
    let lines = watchdog::SCRIPT.lines();
    let lines = lines.filter(|line| is_command(line)).count();
    assert!(lines > 40, "{lines}");
    on_each_server(|program| one_after_the_other(program, LINE, lines, |_, _| true));
}
