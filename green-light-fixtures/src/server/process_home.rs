//! Where a process runs, as a text that other processes on the same machine can check: the machine since its start,
//! the process, and when it began.
//!
//! A process is known on a server by a lock of one of its connections. A connection may end while its process lives,
//! so a free lock alone does not say that a process is gone.

use std::{
    fs,
    process::{self, Command},
    sync::LazyLock,
};

use crate::digest::short_digest;

/// What is known of the process at some home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Liveness {
    Running,
    Ended,
    /// It is on another machine, or in another container, or was registered by another version.
    Unknown,
}

/// The home of this process: letters, digits and `_`.
pub(crate) static HOME: LazyLock<String> = LazyLock::new(|| {
    let number = process::id();
    format!(
        "{}_{number}_{}",
        &*MACHINE,
        began(number).unwrap_or_default()
    )
});

/// This machine since its start, and the container.
static MACHINE: LazyLock<String> = LazyLock::new(|| {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    let boot = boot.or_else(|| text_of("sysctl", &["-n", "kern.bootsessionuuid"]));
    // Without one, it is no machine that another process could be on.
    let boot = boot.unwrap_or_else(|| format!("{:?}", std::time::Instant::now()));
    let numbers = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    short_digest([boot.trim(), &numbers.to_string_lossy()])[..12].to_owned()
});

/// Whether the process at `home` runs.
pub(crate) fn liveness(home: &str) -> Liveness {
    let mut parts = home.split('_');
    let (machine, number, start) = (parts.next(), parts.next(), parts.next());
    let number = number.and_then(|number| number.parse().ok());
    let (Some(number), Some(start)) = (number, start) else {
        return Liveness::Unknown;
    };
    match machine {
        Some(machine) if machine == *MACHINE => {}
        _ => return Liveness::Unknown,
    }
    match began(number) {
        Some(found) if found == start => Liveness::Running,
        _ => Liveness::Ended,
    }
}

/// The number of the process at `home`, if that is on this machine.
pub(crate) fn number_of(home: &str) -> Option<u32> {
    let mut parts = home.split('_');
    let is_here = parts.next().is_some_and(|machine| machine == *MACHINE);
    parts.next().filter(|_| is_here)?.parse().ok()
}

/// Whether what a process without a lock has is garbage.
///
/// `is_lost` says that it has had no lock for long, and `is_in_use` that a session is in its database.
pub(crate) fn is_left_over(home: Option<&str>, is_lost: bool, is_in_use: bool) -> bool {
    match home.map_or(Liveness::Unknown, liveness) {
        Liveness::Ended => true,
        Liveness::Running => false,
        Liveness::Unknown => is_lost && !is_in_use,
    }
}

/// When the process `number` began, if it runs.
fn began(number: u32) -> Option<String> {
    if cfg!(target_os = "linux") {
        let status = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        // The name of the program, in parentheses, may hold anything.
        let (_, fields) = status.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next()?;
        let is_gone = matches!(state, "Z" | "X");
        return fields.nth(18).filter(|_| !is_gone).map(str::to_owned);
    }
    let number = number.to_string();
    let started = text_of("ps", &["-o", "lstart=", "-p", &number])?;
    Some(short_digest([started.trim()])[..12].to_owned())
}

fn text_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success() && !text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_runs_until_it_ends_also_if_nobody_has_asked_how_it_ended() {
        assert_eq!(liveness(&HOME), Liveness::Running);
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let home = format!(
            "{}_{}_{}",
            &*MACHINE,
            child.id(),
            began(child.id()).unwrap()
        );
        assert_eq!(liveness(&home), Liveness::Running);
        child.kill().unwrap();
        while liveness(&home) == Liveness::Running {
            std::thread::yield_now();
        }
        assert_eq!(liveness(&home), Liveness::Ended);
        child.wait().unwrap();
        assert_eq!(liveness(&home), Liveness::Ended);
    }

    #[test]
    fn another_process_of_the_same_number_is_not_the_one_that_ended() {
        let home = format!("{}_{}_1", &*MACHINE, process::id());
        assert_eq!(liveness(&home), Liveness::Ended);
    }

    #[test]
    fn nothing_is_known_of_another_machine_and_of_other_texts() {
        let elsewhere = format!("000000000000_{}_1", process::id());
        for home in [&*elsewhere, "", "gl_p_0123456789abcdef0123", "a_b_c"] {
            assert_eq!(liveness(home), Liveness::Unknown, "{home}");
        }
    }
}
